/** Real processes at both ends of a queue. */
import { createHash } from 'node:crypto'
import { open } from 'kernelmq'
import { test } from 'tap'
import { startProgram } from './fixtures/child.js'
import { kinds, scratchAddress, smallQueue } from './fixtures/scratch.js'

for (const kind of kinds) {
  test(`${kind}: a process streams to another, which gets all of it in order`, async (t) => {
    const address = scratchAddress(t, kind)
    const values = { address, creation: smallQueue(kind), count: 5000 }
    const receiver = startProgram(
      t,
      async ({ open }, { address, creation }) => {
        const { createHash } = await import('node:crypto')
        const queue = open(address, creation)
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
    const address = scratchAddress(t, kind)
    const requests = open(address, smallQueue(kind))
    const child = startProgram(
      t,
      async ({ open }, { address }) => {
        const queue = open(address)
        const received = queue.receive()
        console.log('waiting')
        console.log(String((await received).data))
        await queue.close()
      },
      { address },
    )
    t.equal(await child.line(), 'waiting')
    await requests.send('wake up')
    t.equal(await child.line(), 'wake up')
    t.equal((await child.outcome).code, 0)
    await requests.close()
  })

  test(`${kind}: a process that waits for room is woken when another one receives`, async (t) => {
    const address = scratchAddress(t, kind)
    const queue = open(address, smallQueue(kind))
    let queued = 0
    while (queue.trySend(`filler ${queued}`)) queued++
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
      { address },
    )
    t.equal(await child.line(), 'waiting')
    t.equal(String((await queue.receive()).data), 'filler 0')
    t.equal(await child.line(), 'sent')
    for (let i = 1; i < queued; i++) t.equal(String((await queue.receive()).data), `filler ${i}`)
    t.equal(String((await queue.receive()).data), 'the last')
    await queue.close()
  })
}
