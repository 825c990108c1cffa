import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import type { QueueError } from 'kernelmq'
import { test } from 'tap'
import { inChild, noNamespace, ownNamespace } from '../fixtures/child.js'
import { drain, fill, kinds, LARGE, openAgain, openQueue } from '../fixtures/queues.js'
import { all, failure, settle, take, until, write } from '../fixtures/streams.js'

const bytes = { objectMode: false } as const

for (const kind of kinds) {
  test(`${kind}: byte mode, writing`, async (t) => {
    t.test('many small writes become few messages', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable(bytes)
      t.equal(writable.writableObjectMode, false)
      t.equal(writable.writableHighWaterMark, 65_536)
      let last: Promise<void> | undefined
      for (let i = 0; i < 200; i++) last = write(writable, 'x')
      await last
      t.equal(queue.stats().messages, 1)
      t.equal(drain(queue)[0]?.[1], 'x'.repeat(200))
    })

    t.test('a large write becomes several messages', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable(bytes)
      const data = Buffer.alloc(2000, 'abcdefg')
      await write(writable, data)
      const messages = drain(queue).map(([, text]) => text)
      t.ok(messages.length > 1)
      t.ok(messages.every((text) => text.length <= queue.maxMessageSize))
      t.equal(messages.join(''), data.toString())
    })

    t.test('no bytes make no message', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable(bytes)
      await write(writable, '')
      await write(writable, Buffer.alloc(0))
      t.equal(queue.stats().messages, 0)
    })

    t.test('strings are written in their encoding', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable(bytes)
      writable.write('ü€')
      writable.write('00ff', 'hex')
      await write(writable, 'end')
      const message = queue.tryReceive()?.data
      t.same(message, Buffer.concat([Buffer.from('ü€'), Buffer.of(0, 255), Buffer.from('end')]))
    })

    t.test('what is no bytes is refused by name', (t) => {
      const writable = openQueue(t, kind).writable(bytes)
      // readable-stream itself fails over a symbol, and over a function without a name.
      for (const value of [7, {}, Symbol('x'), () => 7, new DataView(new ArrayBuffer(1))]) {
        const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /"chunk"/ }
        t.throws(() => writable.write(value as never), refused)
      }
      t.end()
    })

    t.test('frames are no bytes', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable(bytes)
      t.throws(() => writable.write({ type: 1, data: 'x' }), { code: 'ERR_INVALID_ARG_TYPE' })
      t.equal(queue.stats().messages, 0)
    })

    t.test('its messages have the type of the stream', async (t) => {
      const queue = openQueue(t, kind)
      await write(queue.writable({ ...bytes, type: 6 }), 'x')
      await write(queue.writable(bytes), 'y')
      t.same(new Set(drain(queue).map(String)), new Set(['6,x', kind === 'posix' ? '0,y' : '1,y']))
    })

    t.test('a callback means that the kernel has the bytes', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writable = queue.writable(bytes)
      let written = false
      const writing = write(writable, Buffer.alloc(LARGE * 3)).then(() => {
        written = true
      })
      const reader = openAgain(t, queue)
      for (let i = 0; i < 3; i++) {
        await settle()
        t.equal(written, false)
        reader.tryReceive()
      }
      while (!written) {
        reader.tryReceive()
        await settle(1)
      }
      await writing
    })

    t.test('write returns false at the mark, and drain follows', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ ...bytes, highWaterMark: 100 })
      t.equal(writable.write('x'.repeat(99)), true)
      t.equal(writable.write('x'), false)
      await new Promise((resolve) => writable.once('drain', resolve))
      t.equal(queue.stats().bytes, 100)
    })

    t.test('eof: end() sends one empty message behind the bytes', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ ...bytes, eof: true, type: 2 })
      writable.write('a')
      writable.end('b')
      await until(() => writable.writableFinished)
      t.same(drain(queue), [
        [2, 'ab'],
        [2, ''],
      ])
    })

    t.test('destroy gives up what waits for room', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writable = queue.writable(bytes)
      const failed = failure(writable)
      writable.write(Buffer.alloc(2000))
      await settle()
      writable.destroy(new Error('given up'))
      t.match(await failed, { message: 'given up' })
      t.equal(drain(queue).length, 10)
      await settle()
      t.equal(queue.stats().messages, 0)
    })

    t.test('bytes that another thread got fail the stream', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable(bytes)
      const failed = failure(writable)
      const chunk = new Uint8Array(64)
      const writing = write(writable, chunk)
      structuredClone(chunk.buffer, { transfer: [chunk.buffer] })
      await t.rejects(writing, TypeError)
      t.match(await failed, { name: 'TypeError' })
      t.equal(queue.trySend('x'), true)
      t.equal(drain(queue).length, 1)
    })

    t.test('bytes that wait when the queue is closed fail the stream', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writable = queue.writable(bytes)
      const failed = failure(writable)
      writable.write(Buffer.alloc(2000))
      await settle()
      await queue.close()
      t.match(await failed, { code: 'ERR_QUEUE_CLOSED' })
    })
  })

  test(`${kind}: byte mode, reading`, async (t) => {
    t.test('yields the bytes of the messages', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['ab', 'cd', '', 'ef']) await queue.send(text)
      const readable = queue.readable(bytes)
      t.equal(readable.readableObjectMode, false)
      const chunks = await take<Buffer>(readable, 3)
      t.ok(chunks.every((chunk) => Buffer.isBuffer(chunk)))
      t.equal(Buffer.concat(chunks).toString(), 'abcdef')
      readable.destroy()
    })

    t.test('goes on after an empty message that ends a wait', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable(bytes)
      const reading = take<Buffer>(readable, 1)
      await settle()
      await queue.send('')
      await settle()
      await queue.send('x')
      t.equal(String((await reading)[0]), 'x')
      readable.destroy()
    })

    t.test('setEncoding makes strings, also of characters cut in two', async (t) => {
      const queue = openQueue(t, kind)
      const euro = Buffer.from('€')
      await queue.send(euro.subarray(0, 1))
      await queue.send(euro.subarray(1))
      await queue.send('')
      const readable = queue.readable({ ...bytes, eof: true })
      readable.setEncoding('utf8')
      t.equal((await all<unknown>(readable)).join(''), '€')
    })

    t.test('takes no short messages ahead either', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      for await (const chunk of queue.readable(bytes)) {
        t.equal(chunk.toString(), 'a')
        break
      }
      t.equal(queue.stats().messages, 2)
    })

    for (const highWaterMark of [undefined, 0, 1]) {
      t.test(`takes one message when asked, mark ${highWaterMark}`, async (t) => {
        const queue = openQueue(t, kind)
        for (let i = 0; i < 5; i++) await queue.send(Buffer.alloc(100))
        const readable = queue.readable(
          highWaterMark === undefined ? bytes : { ...bytes, highWaterMark },
        )
        readable.read(0)
        await until(() => readable.readableLength > 0)
        await settle()
        t.equal(queue.stats().messages, 4)
        t.equal(readable.readableLength, 100)
        readable.on('error', () => {})
        readable.destroy()
      })
    }

    t.test('bytes unread at a destroy are on the error', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('abcdef', { type: 4 })
      const readable = queue.readable(bytes)
      readable.read(0)
      await until(() => readable.readableLength > 0)
      t.equal(String(readable.read(2)), 'ab')
      const failed = failure<QueueError>(readable)
      readable.destroy()
      const error = await failed
      t.match(error, { name: 'QueueError', code: 'ERR_FRAMES_LOST' })
      t.equal(Buffer.concat(error.frames?.map(({ data }) => data) ?? []).toString(), 'cdef')
      t.equal(error.frames?.[0]?.type, 4)
      t.equal(queue.stats().messages, 0, 'nothing was put back out of order')
    })

    t.test('strings unread at a destroy are on the error as bytes', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('ü')
      const readable = queue.readable(bytes)
      readable.setEncoding('utf8')
      readable.read(0)
      await until(() => readable.readableLength > 0)
      const failed = failure<QueueError>(readable)
      readable.destroy()
      t.same((await failed).frames?.[0]?.data, Buffer.from('ü'))
    })

    t.test('with requeue: false they are discarded', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('abcdef')
      const readable = queue.readable({ ...bytes, requeue: false })
      readable.read(0)
      await until(() => readable.readableLength > 0)
      readable.destroy()
      await until(() => readable.closed)
      t.equal(readable.errored, null)
    })

    t.test('a destroy with all bytes read is no error', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('abc')
      const readable = queue.readable(bytes)
      await take(readable, 1)
      readable.destroy()
      await until(() => readable.closed)
      t.equal(readable.errored, null)
    })

    t.test('bytes unread when the queue is closed are on the error', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('abcdef')
      const readable = queue.readable(bytes)
      readable.read(0)
      await until(() => readable.readableLength > 0)
      const failed = failure<QueueError>(readable)
      await queue.close()
      t.match(await failed, { code: 'ERR_FRAMES_LOST' })
      t.equal((await failed).frames?.[0]?.data.toString(), 'abcdef')
    })

    t.test('stop hands over what was taken and ends', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('abc')
      await queue.send('def')
      const readable = queue.readable(bytes)
      readable.read(0)
      await until(() => readable.readableLength > 0)
      readable.stop()
      t.equal(Buffer.concat(await all<Buffer>(readable)).toString(), 'abc')
    })
  })

  test(`${kind}: byte mode, both sides`, async (t) => {
    t.test('any writes come out as the same bytes, with an end', async (t) => {
      const queue = openQueue(t, kind)
      const chunk = fc.uint8Array({ maxLength: 3 * LARGE })
      await fc.assert(
        fc.asyncProperty(fc.array(chunk, { maxLength: 20 }), async (chunks) => {
          const reading = all<Buffer>(queue.readable({ ...bytes, eof: true }))
          const writable = queue.writable({ ...bytes, eof: true })
          for (const each of chunks) writable.write(each)
          writable.end()
          return Buffer.concat(await reading).equals(Buffer.concat(chunks))
        }),
        { numRuns: 30 },
      )
    })

    t.test('a megabyte goes through a small queue', async (t) => {
      const queue = openQueue(t, kind)
      const data = Buffer.from(Array.from({ length: 2 ** 20 }, (_, i) => i % 251))
      const received: Buffer[] = []
      await Promise.all([
        pipeline([data], queue.writable({ ...bytes, eof: true })),
        pipeline(openAgain(t, queue).readable({ ...bytes, eof: true }), async (source) => {
          for await (const chunk of source) received.push(chunk)
        }),
      ])
      t.ok(Buffer.concat(received).equals(data))
    })
  })
}

test('one large write to a queue with room', { skip: noNamespace }, async (t) => {
  const size = 32 * 2 ** 20

  t.test('leaves the event loop its turns', async (t) => {
    const turns = await inChild(
      async ({ open, setLimits }, size) => {
        setLimits({ sysv: { msgmnb: 2 * size } })
        const writable = open({ private: true }).writable({ objectMode: false })
        let turns = 0
        const turn = () => {
          turns++
          setImmediate(turn).unref()
        }
        setImmediate(turn)
        await new Promise((resolve) => writable.write(Buffer.alloc(size), resolve))
        return turns
      },
      { command: ownNamespace, args: [size] },
    )
    t.ok(turns >= 16, `${turns} turns`)
  })

  t.test('destroyed in the middle, it sends no more', async (t) => {
    const seen = await inChild(
      async ({ open, setLimits }, size) => {
        setLimits({ sysv: { msgmnb: 2 * size } })
        const queue = open({ private: true })
        const writable = queue.writable({ objectMode: false })
        const writing = new Promise<string>((resolve) => {
          writable.write(Buffer.alloc(size), (error) => resolve(String(error)))
        })
        await new Promise(setImmediate)
        writable.destroy()
        const { bytes } = queue.stats()
        const failure = await writing
        for (let i = 0; i < 10; i++) await new Promise(setImmediate)
        return { bytes, after: queue.stats().bytes, failure }
      },
      { command: ownNamespace, args: [size] },
    )
    t.ok(seen.bytes > 0 && seen.bytes < size, `${seen.bytes} bytes`)
    t.equal(seen.after, seen.bytes)
    t.match(seen.failure, /Error/)
  })
})
