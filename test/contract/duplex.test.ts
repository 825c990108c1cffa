import { Transform } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { type Frame, QueueDuplex } from 'kernelmq'
import { test } from 'tap'
import { drain, fill, kinds, LARGE, openAgain, openQueue, texts } from '../fixtures/queues.js'
import { all, failure, settle, take, until, write } from '../fixtures/streams.js'

for (const kind of kinds) {
  test(`${kind}: duplex`, async (t) => {
    t.test('writes messages and reads frames', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex()
      t.ok(duplex instanceof QueueDuplex)
      await write(duplex, { type: 3, data: 'x' })
      const [frame] = await take<Frame>(duplex, 1)
      t.match(frame, { type: 3 })
      t.equal(frame?.data.toString(), 'x')
      duplex.destroy()
    })

    t.test('send and receive are the options of writable and readable', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex({
        send: { type: 4, codec: 'json', highWaterMark: 3 },
        receive: { codec: 'utf8', bigint: true, highWaterMark: 5 },
      })
      t.equal(duplex.writableHighWaterMark, 3)
      t.equal(duplex.readableHighWaterMark, 5)
      await write(duplex, { a: 1 })
      t.same(await take(duplex, 1), [{ type: 4n, data: '{"a":1}' }])
      duplex.destroy()
    })

    t.test('each side may be in byte mode', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex({ send: { objectMode: false }, receive: { objectMode: false } })
      duplex.write('a')
      duplex.write('b')
      t.equal(String((await take(duplex, 1))[0]), 'ab')
      duplex.destroy()
      const mixed = queue.duplex({ send: { objectMode: false } })
      mixed.write('a')
      mixed.write('b')
      t.same(texts(await take<Frame>(mixed, 1)), ['ab'])
      mixed.destroy()
    })

    t.test('the end of one side is not the end of the other', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex()
      duplex.end('last')
      await until(() => duplex.writableFinished)
      t.same(texts(await take<Frame>(duplex, 1)), ['last'])
      duplex.destroy()
    })

    t.test('stop ends the readable side', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex()
      const reading = all(duplex)
      await settle()
      duplex.end()
      duplex.stop()
      t.same(await reading, [])
    })

    t.test('stop gives its wait up, also where the writable side goes on', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex()
      const ended = new Promise((resolve) => duplex.on('end', resolve))
      duplex.resume()
      await settle()
      duplex.stop()
      await ended
      for (const text of ['', 'x']) await write(duplex, text)
      await settle()
      t.same(
        drain(queue).map(([, text]) => text),
        ['', 'x'],
      )
      duplex.destroy()
    })

    t.test('eof on both sides is an end for each', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex({ send: { eof: true }, receive: { eof: true } })
      const reading = all<Frame>(duplex as AsyncIterable<Frame>)
      duplex.end('x')
      t.same(texts(await reading), ['x'])
      await until(() => duplex.closed)
    })

    t.test('destroy puts unread frames back', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      const duplex = queue.duplex()
      await take(duplex, 1)
      duplex.destroy()
      await until(() => duplex.closed)
      t.same(
        drain(queue).map(([, text]) => text),
        ['b', 'c'],
      )
    })

    t.test('destroy gives a message up that waits for room', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const duplex = queue.duplex()
      const failed = failure(duplex)
      duplex.write(Buffer.alloc(LARGE))
      await settle()
      duplex.destroy(new Error('given up'))
      t.match(await failed, { message: 'given up' })
      t.equal(drain(queue).length, 10)
      await settle()
      t.equal(queue.stats().messages, 0)
    })

    t.test('breaking out of a for await puts unread frames back', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      for await (const _ of queue.duplex()) break
      t.same(
        drain(queue).map(([, text]) => text),
        ['b', 'c'],
      )
    })

    for (const side of ['send', 'receive']) {
      t.test(`the signal of ${side} destroys both`, async (t) => {
        const queue = openQueue(t, kind)
        const controller = new AbortController()
        const duplex = queue.duplex({ [side]: { signal: controller.signal } })
        duplex.resume()
        await settle()
        controller.abort()
        t.match(await failure(duplex), { name: 'AbortError' })
        t.match(await failure(queue.duplex({ [side]: { signal: AbortSignal.abort() } })), {
          name: 'AbortError',
        })
      })
    }

    t.test('closing the queue ends the readable side', async (t) => {
      const queue = openQueue(t, kind)
      const duplex = queue.duplex()
      const ended = new Promise((resolve) => duplex.on('end', resolve))
      duplex.resume()
      await settle()
      await queue.close()
      await ended
      t.equal(duplex.errored, null)
    })

    for (const eof of [false, true]) {
      t.test(`closing the queue finishes both sides of one that idles, eof ${eof}`, async (t) => {
        const queue = openQueue(t, kind)
        const duplex = queue.duplex({ send: { eof } })
        const over = finished(duplex)
        await queue.close()
        await over
        t.ok(duplex.writableFinished)
        t.equal(openAgain(t, queue).stats().messages, 0)
      })
    }

    t.test('closing the queue fails a pending write', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const duplex = queue.duplex()
      const failed = failure(duplex)
      duplex.write(Buffer.alloc(LARGE))
      await settle()
      await queue.close()
      t.match(await failed, { code: 'ERR_QUEUE_CLOSED' })
    })

    t.test('a wrong option is named with its side', async (t) => {
      const queue = openQueue(t, kind)
      t.throws(() => queue.duplex({ reveice: {} } as never), { message: /"options\.reveice"/ })
      t.throws(() => queue.duplex({ receive: { tpye: 1 } } as never), {
        message: /"options\.receive\.tpye"/,
      })
      t.throws(() => queue.duplex({ send: { highWaterMark: -1 } }), {
        message: /"options\.send\.highWaterMark"/,
      })
    })

    t.test('two of them are the ends of a line', async (t) => {
      // On POSIX, where nothing can be selected, a line takes two queues.
      const there = openQueue(t, kind)
      const back = kind === 'posix' ? openQueue(t, kind) : there
      const server = async () => {
        const socket = { in: there.readable({ eof: true, ...(kind === 'sysv' && { type: 1 }) }) }
        const shout = new Transform({
          objectMode: true,
          transform: (frame: Frame, _, done) => done(null, frame.data.toString().toUpperCase()),
        })
        await pipeline(socket.in, shout, back.writable({ type: 2, eof: true }))
      }
      const serving = server()
      const client = there.writable({ type: 1, eof: true })
      for (const word of ['hello', 'world']) client.write(word)
      client.end()
      const answers = back.readable({ eof: true, ...(kind === 'sysv' && { type: 2 }) })
      t.same(texts(await all<Frame>(answers)), ['HELLO', 'WORLD'])
      await serving
    })
  })
}

test('sysv: one queue carries both directions by type', async (t) => {
  const queue = openQueue(t, 'sysv')
  const server = queue.duplex({ receive: { type: 1, eof: true }, send: { type: 2, eof: true } })
  const client = queue.duplex({ receive: { type: 2, eof: true }, send: { type: 1, eof: true } })
  const shout = new Transform({
    objectMode: true,
    transform: (frame: Frame, _, done) => done(null, frame.data.toString().toUpperCase()),
  })
  const serving = pipeline(server, shout, server)
  for (const word of ['hello', 'world']) client.write(word)
  client.end()
  t.same(texts(await all<Frame>(client as AsyncIterable<Frame>)), ['HELLO', 'WORLD'])
  await serving
})

test('sysv: leaving its loop while a write waits is no error', async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.trySend('x', { type: 1 })
  fill(queue, 3)
  const duplex = queue.duplex({ receive: { type: 1 } })
  let given: unknown
  for await (const _ of duplex) {
    duplex.write(Buffer.alloc(2 * LARGE), (error) => {
      given = error
    })
    await settle()
    break
  }
  t.match(given, { code: 'ERR_STREAM_DESTROYED' })
})

test('sysv: destroyed while a write waits, it loses nothing that comes in meanwhile', async (t) => {
  const queue = openQueue(t, 'sysv')
  const sender = openAgain(t, queue)
  for (let round = 0; round < 10; round++) {
    fill(queue, 3)
    const duplex = queue.duplex({ receive: { type: 1 }, send: { type: 2 } })
    duplex.on('data', () => t.fail('handed over after destroy'))
    await settle()
    duplex.write(Buffer.alloc(2 * LARGE), () => {})
    await settle()
    // Room for the message that comes in, not for the one that waits.
    sender.tryReceive({ type: 3 })
    duplex.destroy()
    sender.trySend('late', { type: 1 })
    await until(() => duplex.closed)
    t.equal(sender.clear({ type: 1 }), 1)
    sender.clear()
  }
})
