import { AbortError, Frame, QueueError, QueueReadable } from 'kernelmq'
import { test } from 'tap'
import { inChild } from '../fixtures/child.js'
import { drain, fill, kinds, LARGE, openAgain, openQueue, texts } from '../fixtures/queues.js'
import { all, failure, settle, take, until } from '../fixtures/streams.js'

const words = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`)

for (const kind of kinds) {
  /** A queue for fifty small messages. */
  const deep = kind === 'posix' ? { maxMessages: 10 } : { maxBytes: 16384 }

  test(`${kind}: readable`, async (t) => {
    t.test('yields frames in order', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(5)) await queue.send(text, { type: 3 })
      const readable = queue.readable()
      t.ok(readable instanceof QueueReadable)
      t.ok(readable.readableObjectMode)
      const frames = await take<Frame>(readable, 5)
      t.ok(frames.every((frame) => frame instanceof Frame && frame.type === 3))
      t.same(texts(frames), words(5))
      readable.destroy()
    })

    t.test('yields more than the queue holds', async (t) => {
      const queue = openQueue(t, kind)
      const reading = take<Frame>(queue.readable(), 500)
      for (const text of words(500)) await queue.send(text)
      t.same(texts(await reading), words(500))
    })

    t.test('empty messages are frames, not the end', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable()
      const reading = take<Frame>(readable, 5)
      for (const text of ['', 'a', '', '', 'b']) {
        await queue.send(text)
        await settle(2)
      }
      t.same(texts(await reading), ['', 'a', '', '', 'b'])
      readable.destroy()
    })

    t.test('takes nothing before it is read', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x')
      queue.readable()
      await settle()
      t.equal(queue.stats().messages, 1)
    })

    for (const highWaterMark of [1, 4, 16]) {
      t.test(`highWaterMark ${highWaterMark} bounds what is taken ahead`, async (t) => {
        const queue = openQueue(t, kind, deep)
        const readable = queue.readable(highWaterMark === 16 ? {} : { highWaterMark })
        t.equal(readable.readableHighWaterMark, highWaterMark)
        const sending = Promise.all(words(40).map((text) => queue.send(text)))
        readable.read(0)
        await until(() => readable.readableLength >= highWaterMark)
        await settle()
        t.equal(readable.readableLength, highWaterMark)
        const loop = all(readable)
        await sending
        await until(() => queue.stats().messages === 0)
        readable.stop()
        t.same(texts(await loop), words(40))
      })
    }

    t.test('highWaterMark 0 takes one when it is asked for', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(5)) await queue.send(text)
      const readable = queue.readable({ highWaterMark: 0 })
      const iterator = readable[Symbol.asyncIterator]()
      for (let i = 0; i < 3; i++) {
        t.equal((await iterator.next()).value.data.toString(), `m${i}`)
        await settle()
        t.equal(queue.stats().messages, 4 - i)
      }
      await iterator.return?.()
    })

    t.test('stop: takes no more, hands over what it has, and ends', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(8)) await queue.send(text)
      const readable = queue.readable({ highWaterMark: 4 })
      readable.read(0)
      await until(() => readable.readableLength === 4)
      readable.stop()
      t.same(texts(await all(readable)), words(4))
      t.equal(queue.stats().messages, 4)
    })

    t.test('stop: a readable that waits ends at once, and takes nothing later', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable()
      const loop = all(readable)
      await settle()
      readable.stop()
      t.same(await loop, [])
      await queue.send('')
      await settle()
      t.equal(queue.stats().messages, 1)
    })

    t.test('stop from a listener hands over the rest of what was taken', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(6)) await queue.send(text)
      const readable = queue.readable()
      const seen: string[] = []
      readable.on('data', (frame: Frame) => {
        seen.push(frame.data.toString())
        readable.stop()
      })
      await new Promise((resolve) => readable.on('end', resolve))
      t.same([...seen, ...drain(queue).map(([, text]) => text)], words(6))
    })

    /** Stops at the first frame; what comes of it, and what is in the queue then. */
    const stopAtFirst = async (
      readable: QueueReadable<unknown>,
      after: (seen: string[]) => void = () => {},
    ): Promise<string[]> => {
      const seen: string[] = []
      readable.on('data', (frame: Frame) => {
        seen.push(String(frame.data))
        if (seen.length === 1) readable.stop()
        else after(seen)
      })
      readable.on('end', () => seen.push('end'))
      readable.on('error', (error: QueueError) => seen.push(error.code))
      await new Promise((resolve) => readable.on('close', resolve))
      return seen
    }

    t.test('stopped, then destroyed by a listener, it puts the rest back', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(5)) await queue.send(text)
      const readable = queue.readable()
      t.same(await stopAtFirst(readable, () => readable.destroy()), ['m0', 'm1'])
      t.same(
        drain(queue).map(([, text]) => text),
        ['m2', 'm3', 'm4'],
      )
    })

    t.test('stopped, then failed by what does not decode, it puts the rest back', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['1', 'not json', '3', '4']) await queue.send(text)
      t.same(await stopAtFirst(queue.readable({ codec: 'json' })), ['1', 'ERR_INVALID_MESSAGE'])
      t.same(
        drain(queue).map(([, text]) => text),
        ['3', '4'],
      )
    })

    t.test('stopped, it goes on to the end over what does not decode', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['1', '2', 'not json']) await queue.send(text)
      const readable = queue.readable({ codec: 'json' })
      readable.on('invalid', () => {})
      t.same(await stopAtFirst(readable), ['1', '2', 'end'])
    })

    t.test('stopped, it hands no end-of-stream mark over as a frame', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b', '']) await queue.send(text)
      t.same(await stopAtFirst(queue.readable({ eof: true })), ['a', 'b', 'end'])
      t.equal(queue.stats().messages, 0)
    })

    t.test('destroy puts unread frames back with their type', async (t) => {
      const queue = openQueue(t, kind)
      for (const [i, text] of words(6).entries()) await queue.send(text, { type: 5 - (i % 2) })
      const before = drain(queue)
      for (const [type, text] of before) await queue.send(text, { type })
      const readable = queue.readable()
      await take(readable, 2)
      t.equal(queue.stats().messages, 0)
      readable.destroy()
      await until(() => readable.closed)
      t.same(drain(queue), before.slice(2))
    })

    t.test('what is put back goes behind what has come since', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(3)) await queue.send(text)
      const readable = queue.readable()
      await take(readable, 1)
      await queue.send('since')
      readable.destroy()
      await until(() => readable.closed)
      t.same(
        drain(queue).map(([, text]) => text),
        ['since', 'm1', 'm2'],
      )
    })

    t.test('breaking out of a for await puts unread frames back', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(6)) await queue.send(text)
      for await (const frame of queue.readable()) {
        if (frame.data.toString() === 'm1') break
      }
      t.same(
        drain(queue).map(([, text]) => text),
        words(6).slice(2),
      )
    })

    t.test('an abort puts unread frames back', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(6)) await queue.send(text)
      const controller = new AbortController()
      const readable = queue.readable({ signal: controller.signal })
      await take(readable, 2)
      const failed = failure(readable)
      controller.abort()
      const error = await failed
      t.ok(error instanceof AbortError)
      t.equal(error.cause, controller.signal.reason)
      t.equal(drain(queue).length, 4)
    })

    t.test('a signal hushes its abort, and no other error', async (t) => {
      const queue = openQueue(t, kind)
      const thrown = await inChild(
        async ({ open }, address: string) => {
          const thrown: (string | undefined)[] = []
          process.on('uncaughtException', (error: NodeJS.ErrnoException) => thrown.push(error.code))
          const queue = open(address)
          const controller = new AbortController()
          const { signal } = controller
          const told = async (count: number) => {
            while (thrown.length < count) await new Promise(setImmediate)
          }

          const waiting = queue.readable({ signal })
          const closed = new Promise<void>((resolve) => waiting.once('close', resolve))
          const over = queue.readable({ signal })
          const taken = new Promise((resolve) => over.once('readable', resolve))
          await Promise.all([queue.send('x'), taken])
          const room = Buffer.alloc(queue.maxMessageSize)
          while (queue.trySend(room)) {}
          controller.abort()
          await Promise.all([closed, told(1)])

          const failing = queue.writable({ signal: new AbortController().signal })
          failing.write(Buffer.alloc(queue.maxMessageSize + 1))
          await told(2)
          return thrown
        },
        { args: [queue.address] },
      )
      t.same(thrown, ['ERR_FRAMES_LOST', 'EMSGSIZE'])
    })

    t.test('a listener that throws stops neither the stream nor those behind it', async (t) => {
      const queue = openQueue(t, kind)
      const seen = await inChild(
        async ({ open }, address: string) => {
          const seen: string[] = []
          process.on('uncaughtException', (error) => seen.push(error.message))
          const queue = open(address)
          const readable = queue.readable()
          let count = 0
          readable.on('data', ({ data }) => {
            if (++count % 2 === 1) throw new Error(`at ${data}`)
            seen.push(String(data))
            if (count === 4) readable.destroy()
          })
          // It waits, and another one behind it.
          for (let i = 0; i < 10; i++) await new Promise(setImmediate)
          const behind = queue.receive()
          for (const text of ['a', 'b', 'c', 'd', 'e']) queue.trySend(text)
          await new Promise((resolve) => readable.once('close', resolve))
          seen.push(`behind: ${(await behind).data}`)
          return seen
        },
        { args: [queue.address] },
      )
      t.equal(seen.length, 5)
      t.equal(seen.filter((text) => text.startsWith('at ')).length, 2)
    })

    t.test('an abort ends a wait, which takes nothing later', async (t) => {
      const queue = openQueue(t, kind)
      const controller = new AbortController()
      const loop = all(queue.readable({ signal: controller.signal }))
      await settle()
      controller.abort()
      await t.rejects(loop, { name: 'AbortError' })
      await queue.send('')
      await settle()
      t.equal(queue.stats().messages, 1)
    })

    t.test('a signal aborted before lets it take nothing', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x')
      await t.rejects(all(queue.readable({ signal: AbortSignal.abort() })), { name: 'AbortError' })
      t.equal(queue.stats().messages, 1)
    })

    t.test('requeue: false discards unread frames', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(6)) await queue.send(text)
      const readable = queue.readable({ requeue: false })
      await take(readable, 2)
      readable.destroy()
      await until(() => readable.closed)
      t.equal(readable.errored, null)
      t.equal(queue.stats().messages, 0)
    })

    t.test('frames that do not fit back are on the error', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue, 4)
      const readable = queue.readable()
      await take(readable, 3)
      for (let i = 0; i < 8; i++) queue.trySend(Buffer.alloc(LARGE, 'n'))
      const failed = failure<QueueError>(readable)
      readable.destroy()
      const error = await failed
      t.ok(error instanceof QueueError)
      t.match(error, { code: 'ERR_FRAMES_LOST', address: queue.address })
      t.equal(error.frames?.length, 5, 'two of seven found room')
      t.ok(error.frames?.every((frame) => frame.type === 4 && frame.data.length === LARGE))
      t.equal(queue.stats().messages, 10)
    })

    t.test('the error for lost frames tells why the stream was destroyed', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const readable = queue.readable()
      await take(readable, 1)
      fill(queue)
      const failed = failure<QueueError>(readable)
      const reason = new Error('the reason')
      readable.destroy(reason)
      t.match(await failed, { code: 'ERR_FRAMES_LOST', cause: reason })
    })

    t.test('breaking out of a for await with lost frames throws', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const loop = async () => {
        for await (const _ of queue.readable()) {
          fill(queue)
          break
        }
      }
      await t.rejects(loop(), { code: 'ERR_FRAMES_LOST' })
    })

    t.test('an error that came in the loop is thrown when it is left', async (t) => {
      const queue = openQueue(t, kind)
      for (const wait of [() => {}, settle]) {
        // Full, so that it waits for nothing and is closed at once.
        const readable = queue.readable({ highWaterMark: 1 })
        for (const text of words(4)) queue.trySend(text)
        const loop = async () => {
          for await (const _ of readable) {
            readable.destroy(new Error('in the loop'))
            await wait()
            break
          }
        }
        await t.rejects(loop(), { message: 'in the loop' })
        drain(queue)
      }
    })

    t.test('an iterator that is left while it waits is done', async (t) => {
      const iterator = openQueue(t, kind)[Symbol.asyncIterator]()
      const waiting = iterator.next()
      await settle()
      t.same(await iterator.return?.(), { value: undefined, done: true })
      t.same(await waiting, { value: undefined, done: true })
    })

    t.test('destroy hands a frame that came too late back, not over', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable()
      readable.on('data', () => t.fail('handed over after destroy'))
      await settle()
      queue.trySend('late')
      readable.destroy()
      await until(() => readable.closed)
      await settle()
      t.equal(queue.tryReceive()?.data.toString(), 'late')
    })

    t.test('a handle that only reads puts back too', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of words(4)) await queue.send(text)
      const readable = openAgain(t, queue, { access: 'read' }).readable()
      await take(readable, 1)
      readable.destroy()
      await until(() => readable.closed)
      t.equal(readable.errored, null)
      t.equal(drain(queue).length, 3)
    })

    t.test('bigint: true yields types as bigints', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x', { type: 9 })
      const readable = queue.readable({ bigint: true })
      t.equal((await take<Frame>(readable, 1))[0]?.type, 9n)
      readable.destroy()
    })

    t.test('eof: ends at an empty message', async (t) => {
      const queue = openQueue(t, kind)
      const loop = all(queue.readable({ eof: true }))
      for (const text of ['a', 'b', '']) await queue.send(text)
      t.same(texts(await loop), ['a', 'b'])
      t.equal(queue.stats().messages, 0)
    })

    t.test('eof: what follows the mark stays in the queue', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', '', 'b', '']) await queue.send(text)
      t.same(texts(await all(queue.readable({ eof: true }))), ['a'])
      t.same(texts(await all(queue.readable({ eof: true }))), ['b'])
    })

    t.test('two readables share the messages, and none comes twice', async (t) => {
      const queue = openQueue(t, kind)
      const readables = [queue.readable({ highWaterMark: 1 }), openAgain(t, queue).readable()]
      const seen: string[] = []
      for (const readable of readables) {
        readable.on('data', (frame: Frame) => seen.push(frame.data.toString()))
      }
      for (const text of words(100)) await queue.send(text)
      await until(() => seen.length >= 100)
      await settle()
      t.same(new Set(seen), new Set(words(100)))
      t.equal(seen.length, 100)
      for (const readable of readables) readable.destroy()
    })

    t.test('a flood on one queue leaves timers their turn', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable()
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      let seen = 0
      await new Promise<void>((resolve) => {
        readable.on('data', () => {
          queue.trySend('again')
          if (++seen === 200_000 || ticks === 3) resolve()
        })
        queue.trySend('first')
      })
      clearInterval(timer)
      readable.destroy()
      t.equal(ticks, 3)
    })
  })
}
