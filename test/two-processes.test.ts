/** Real processes at both ends of a queue. */
import { createHash } from 'node:crypto'
import { test } from 'tap'
import { startProgram } from './fixtures/processes.js'
import { fill, kinds, openQueue, texts } from './fixtures/queues.js'

for (const kind of kinds) {
  test(`${kind}: a process streams to another, which gets all of it in order`, async (t) => {
    const values = { address: openQueue(t, kind).address, count: 5000 }
    const receiver = startProgram(
      t,
      async ({ open }, { address }) => {
        const { createHash } = await import('node:crypto')
        const queue = open(address)
        console.log('ready')
        const hash = createHash('sha256')
        for await (const { type, data } of queue.readable({ eof: true })) {
          if (data.length > 0) hash.update(`${type} ${data}\n`)
        }
        console.log(hash.digest('hex'))
        await queue.close()
      },
      values,
    )
    t.equal(await receiver.line(), 'ready')
    const sender = startProgram(
      t,
      async ({ open }, { address, count }) => {
        const { pipeline } = await import('node:stream/promises')
        const queue = open(address)
        const lines = Array.from({ length: count }, (_, i) => `line ${i}`)
        await pipeline(lines, queue.writable({ type: 7, eof: true }))
        await queue.close()
      },
      values,
    )
    const sent = await sender.outcome
    t.equal(sent.code, 0, sent.stderr)
    const expected = createHash('sha256')
    for (let i = 0; i < values.count; i++) expected.update(`7 line ${i}\n`)
    t.equal(await receiver.line(), expected.digest('hex'))
    const received = await receiver.outcome
    t.equal(received.code, 0, received.stderr)
  })

  test(`${kind}: a process that waits is woken by another one's message`, async (t) => {
    const queue = openQueue(t, kind)
    const child = startProgram(
      t,
      async ({ open }, { address }) => {
        const queue = open(address)
        const received = queue.receive()
        console.log('waiting')
        console.log(String((await received).data))
        await queue.close()
      },
      { address: queue.address },
    )
    t.equal(await child.line(), 'waiting')
    await queue.send('wake up')
    t.equal(await child.line(), 'wake up')
    t.equal((await child.outcome).code, 0)
  })

  test(`${kind}: a process that waits for room is woken when another one receives`, async (t) => {
    const queue = openQueue(t, kind)
    const queued = fill(queue)
    const child = startProgram(
      t,
      async ({ open }, { address }) => {
        const queue = open(address)
        const sent = queue.send('the last')
        console.log('waiting')
        await sent
        console.log('sent')
        await queue.close()
      },
      { address: queue.address },
    )
    t.equal(await child.line(), 'waiting')
    await queue.receive()
    t.equal(await child.line(), 'sent')
    const received = texts(await Promise.all(Array.from({ length: queued }, () => queue.receive())))
    t.equal(received.at(-1), 'the last')
  })
}
