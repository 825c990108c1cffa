import { type MessageQueue, open } from 'kernelmq'
import { test } from 'tap'
import { drain, fill, kinds, LARGE, openAgain, openQueue, texts } from '../fixtures/queues.js'
import { all, failure, settle, take, until, write } from '../fixtures/streams.js'

const closed = { name: 'QueueError', code: 'ERR_QUEUE_CLOSED' }

for (const kind of kinds) {
  test(`${kind}: close`, async (t) => {
    t.test('closes the handle, and again does nothing', async (t) => {
      const queue = openQueue(t, kind)
      const closing = queue.close()
      t.equal(queue.closed, true)
      await closing
      await queue.close()
      t.equal(queue.closed, true)
    })

    t.test('never removes the queue', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('stays')
      await queue.close()
      t.equal(openAgain(t, queue).tryReceive()?.data.toString(), 'stays')
    })

    t.test('await using closes', async (t) => {
      const queue = openQueue(t, kind)
      let inside: MessageQueue | undefined
      {
        await using again = open(queue.address)
        inside = again
        t.equal(again.closed, false)
      }
      t.equal(inside.closed, true)
      await t.rejects(inside.send('x'), closed)
    })

    t.test('a closed handle still says which queue it was', async (t) => {
      const queue = openQueue(t, kind)
      const { address, maxMessageSize } = queue
      await queue.close()
      t.match(queue, { kind, address, maxMessageSize })
    })

    t.test('later calls that return a promise reject', async (t) => {
      const queue = openQueue(t, kind)
      await queue.close()
      await t.rejects(queue.send('x'), { ...closed, address: queue.address })
      await t.rejects(queue.receive(), closed)
      t.throws(() => queue[Symbol.asyncIterator](), closed)
    })

    const calls = [
      'trySend',
      'tryReceive',
      'clear',
      'stats',
      'configure',
      'unlink',
      'readable',
      'writable',
      'duplex',
      'consumer',
      'demultiplex',
    ] as const
    for (const name of calls) {
      t.test(`later calls of ${name} throw`, async (t) => {
        const queue = openQueue(t, kind)
        await queue.close()
        const call = (queue[name] as (argument?: unknown) => unknown).bind(queue)
        const argument = { trySend: 'x', configure: {} }[name as string]
        t.throws(() => call(argument), closed)
      })
    }

    t.test('pending receives reject', async (t) => {
      const queue = openQueue(t, kind)
      const pending = [queue.receive(), queue.receive({ timeout: 100_000 }), queue.receive()]
      await settle()
      const closing = queue.close()
      await Promise.all(pending.map((each) => t.rejects(each, closed)))
      await closing
    })

    t.test('pending sends reject and are not sent', async (t) => {
      const queue = openQueue(t, kind)
      const again = openAgain(t, queue)
      fill(queue)
      const pending = [queue.send(Buffer.alloc(LARGE, 'p')), queue.send('p'), queue.send('p')]
      await settle()
      const closing = queue.close()
      await Promise.all(pending.map((each) => t.rejects(each, closed)))
      await closing
      t.equal(drain(again).length, 10)
      await settle()
      t.equal(again.stats().messages, 0)
    })

    t.test('calls pending in the turn of the close reject too', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const sending = queue.send(Buffer.alloc(LARGE))
      const other = openAgain(t, openQueue(t, kind))
      const receiving = other.receive()
      const closing = [queue.close(), other.close()]
      await Promise.all([t.rejects(sending, closed), t.rejects(receiving, closed), ...closing])
    })

    t.test('a readable puts unread frames back and ends without an error', async (t) => {
      const queue = openQueue(t, kind)
      const again = openAgain(t, queue)
      for (const text of ['a', 'b', 'c', 'd']) await queue.send(text)
      const readable = queue.readable()
      t.same(texts(await take(readable, 1)), ['a'])
      await queue.close()
      t.same(await all(readable), [])
      t.equal(readable.errored, null)
      t.same(
        drain(again).map(([, text]) => text),
        ['b', 'c', 'd'],
      )
    })

    t.test('a for await that waits just ends', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('a')
      const loop = all(queue.readable())
      await until(() => queue.stats().messages === 0)
      await settle()
      await queue.close()
      t.same(texts(await loop), ['a'])
    })

    t.test('a readable that has not begun ends', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable()
      await queue.close()
      t.same(await all(readable), [])
    })

    t.test('a readable whose frames do not fit back fails with them', async (t) => {
      const queue = openQueue(t, kind)
      const again = openAgain(t, queue)
      fill(queue)
      const readable = queue.readable()
      await take(readable, 1)
      fill(again)
      const failed = failure(readable)
      await queue.close()
      t.match(await failed, { name: 'QueueError', code: 'ERR_FRAMES_LOST' })
      t.equal(((await failed) as unknown as { frames: unknown[] }).frames.length, 9)
    })

    t.test('a writable fails if a write is pending', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writable = queue.writable()
      const failed = failure(writable)
      const writing = write(writable, Buffer.alloc(LARGE))
      await settle()
      await Promise.all([queue.close(), t.rejects(writing, closed)])
      t.match(await failed, closed)
    })

    for (const objectMode of [true, false]) {
      const mode = objectMode ? 'of messages' : 'of bytes'
      t.test(`a writable ${mode} without a pending write fails at the next one`, async (t) => {
        const queue = openQueue(t, kind)
        const writable = queue.writable({ objectMode })
        await write(writable, 'x')
        await queue.close()
        await settle()
        t.equal(writable.errored, null)
        const failed = failure(writable)
        await t.rejects(write(writable, 'y'), closed)
        t.match(await failed, closed)
      })
    }

    t.test('a writable that is to mark its end fails with it', async (t) => {
      const queue = openQueue(t, kind)
      const again = openAgain(t, queue)
      const writable = queue.writable({ eof: true })
      await queue.close()
      const failed = failure(writable)
      writable.end()
      t.match(await failed, closed)
      t.equal(again.stats().messages, 0)
    })

    t.test('consumers and demultiplexers close', async (t) => {
      const queue = openQueue(t, kind)
      const events: string[] = []
      const consumer = queue.consumer()
      consumer.on('message', () => {})
      consumer.on('close', () => events.push('consumer'))
      const demux = queue.demultiplex()
      demux.on('close', () => events.push('demultiplexer'))
      const ending = all(demux.readable(7))
      await settle()
      await queue.close()
      t.same(await ending, [])
      await until(() => events.length === 2)
      t.same(events.sort(), ['consumer', 'demultiplexer'])
      t.throws(() => demux.readable(1), closed)
    })

    t.test('everything at once comes to its end', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const readables = [queue.readable(), queue.readable({ highWaterMark: 0 })]
      const loops = readables.map(all)
      const duplex = queue.duplex()
      duplex.resume()
      const rejected = [
        t.rejects(
          queue.receive({ timeout: 100_000 }).then(() => queue.receive()),
          closed,
        ),
        t.rejects(Promise.all(Array.from({ length: 50 }, () => queue.send(Buffer.alloc(LARGE))))),
      ]
      await queue.close()
      await Promise.all([...loops, ...rejected])
    })

    t.test('many handles on one queue are many handles', async (t) => {
      const queue = openQueue(t, kind)
      const others = Array.from({ length: 20 }, () => openAgain(t, queue))
      await Promise.all(others.map((other) => other.close()))
      await queue.send('x')
      t.equal((await queue.receive()).data.toString(), 'x')
    })
  })
}
