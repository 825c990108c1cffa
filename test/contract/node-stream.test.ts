/** The streams are readable-stream's; here they work with what node:stream has for its own. */
import { getEventListeners } from 'node:events'
import * as stream from 'node:stream'
import { addAbortSignal, finished, PassThrough, Readable, Transform } from 'node:stream'
import { text } from 'node:stream/consumers'
import * as promises from 'node:stream/promises'
import type { Frame } from 'kernelmq'
import { test } from 'tap'
import { drain, fill, kinds, LARGE, openQueue, texts } from '../fixtures/queues.js'
import { all, settle, take, until } from '../fixtures/streams.js'

// @types/node lacks it.
const { compose } = stream as unknown as { compose(...parts: unknown[]): Readable }

const words = Array.from({ length: 40 }, (_, i) => `word${i}`)

for (const kind of kinds) {
  test(`${kind}: node:stream`, async (t) => {
    t.test('pipeline from an array to the queue, and from it to a function', async (t) => {
      const queue = openQueue(t, kind)
      const seen: string[] = []
      await Promise.all([
        promises.pipeline(words, queue.writable({ eof: true })),
        promises.pipeline(queue.readable({ eof: true }), async (frames) => {
          for await (const { data } of frames) seen.push(data.toString())
        }),
      ])
      t.same(seen, words)
    })

    t.test('pipeline from queue to queue keeps the types', async (t) => {
      const [from, to] = [openQueue(t, kind), openQueue(t, kind)]
      for (const type of [5, 4, 3]) await from.send(`t${type}`, { type })
      const before = 3
      const reading = from.readable()
      const moving = promises.pipeline(reading, to.writable())
      await until(() => to.stats().messages === before)
      reading.stop()
      await moving
      t.same(new Set(drain(to).map(String)), new Set(['5,t5', '4,t4', '3,t3']))
    })

    t.test('pipeline through a node transform', async (t) => {
      const queue = openQueue(t, kind)
      const shout = new Transform({
        objectMode: true,
        transform: (frame: Frame, _, done) => done(null, frame.data.toString().toUpperCase()),
      })
      for (const word of ['a', 'b', '']) await queue.send(word)
      const sink = new PassThrough({ objectMode: true })
      await promises.pipeline(queue.readable({ eof: true }), shout, sink)
      t.same(await all(sink), ['A', 'B'])
    })

    t.test('a pipeline whose source fails destroys the writable', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      async function* source() {
        yield 'x'
        throw new Error('source')
      }
      await t.rejects(promises.pipeline(source, writable), { message: 'source' })
      t.ok(writable.destroyed)
    })

    t.test('a pipeline whose sink fails puts unread frames back', async (t) => {
      const queue = openQueue(t, kind)
      for (const word of ['a', 'b', 'c']) await queue.send(word)
      const readable = queue.readable()
      const sink = async (frames: AsyncIterable<Frame>) => {
        for await (const _ of frames) throw new Error('sink')
      }
      await t.rejects(promises.pipeline(readable, sink), { message: 'sink' })
      await until(() => readable.closed)
      t.same(
        drain(queue).map(([, each]) => each),
        ['b', 'c'],
      )
    })

    t.test('a pipeline is aborted by its signal', async (t) => {
      const queue = openQueue(t, kind)
      const controller = new AbortController()
      const sink = new PassThrough({ objectMode: true })
      const moving = promises.pipeline(queue.readable(), sink, { signal: controller.signal })
      await settle()
      controller.abort()
      await t.rejects(moving, { name: 'AbortError' })
    })

    t.test('finished tells of an end', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable({ eof: true })
      const over = promises.finished(readable.resume())
      await queue.send('')
      await over
      const writable = queue.writable()
      writable.end('x')
      await promises.finished(writable)
      t.equal(queue.stats().messages, 1)
    })

    t.test('finished tells of a failure', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      const failed = new Promise((resolve) => finished(writable, resolve))
      writable.write(Buffer.alloc(queue.maxMessageSize + 1))
      t.match(await failed, { code: 'EMSGSIZE' })
    })

    t.test('addAbortSignal destroys both kinds of stream', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b']) await queue.send(text)
      const controller = new AbortController()
      const readable = addAbortSignal(controller.signal, queue.readable())
      await take(readable, 1)
      const over = promises.finished(readable)
      controller.abort()
      await t.rejects(over, { name: 'AbortError' })
      t.equal(drain(queue).length, 1)
      fill(queue)
      const writable = addAbortSignal(AbortSignal.abort(), queue.writable())
      await t.rejects(promises.finished(writable), { name: 'AbortError' })
    })

    t.test('compose', async (t) => {
      const queue = openQueue(t, kind)
      for (const word of ['a', 'b', '']) await queue.send(word)
      const composed = compose(
        queue.readable({ eof: true }),
        async function* (frames: AsyncIterable<Frame>) {
          for await (const { data } of frames) yield `${data}!`
        },
      )
      t.equal(await text(composed), 'a!b!')
    })

    t.test('Readable.toWeb', async (t) => {
      const queue = openQueue(t, kind)
      for (const word of ['a', 'b', '']) await queue.send(word)
      const frames: Frame[] = []
      for await (const frame of Readable.toWeb(queue.readable({ eof: true }))) frames.push(frame)
      t.same(texts(frames), ['a', 'b'])
    })

    t.test('Readable.toWeb: cancelling puts unread frames back', async (t) => {
      const queue = openQueue(t, kind)
      for (const word of ['a', 'b', 'c', 'd']) await queue.send(word)
      const readable = queue.readable({ highWaterMark: 1 })
      const reader = Readable.toWeb(readable).getReader()
      t.equal((await reader.read()).value.data.toString(), 'a')
      await reader.cancel()
      await until(() => readable.closed)
      // What the web stream had buffered itself is the web stream's.
      t.ok(queue.stats().messages >= 2)
    })

    t.test('pipe, with backpressure', async (t) => {
      const queue = openQueue(t, kind)
      Readable.from(words.map((word) => word.padEnd(LARGE))).pipe(queue.writable({ eof: true }))
      await until(() => queue.stats().messages === 10)
      await settle()
      t.equal(queue.stats().messages, 10)
      const frames = await all(queue.readable({ eof: true, highWaterMark: 2 }))
      t.same(
        texts(frames).map((each) => each.trim()),
        words,
      )
    })

    t.test('the helpers of readables', async (t) => {
      const queue = openQueue(t, kind)
      for (const word of ['a', 'b', 'c', '']) await queue.send(word)
      const readable = queue.readable({ eof: true })
      t.same(await readable.map((frame: Frame) => frame.data.toString()).toArray(), ['a', 'b', 'c'])
    })

    t.test('a stream leaves no listener on its signal', async (t) => {
      const queue = openQueue(t, kind)
      const { signal } = new AbortController()
      for (let i = 0; i < 5; i++) {
        const readable = queue.readable({ signal })
        readable.resume()
        const writable = queue.writable({ signal })
        writable.end()
        await promises.finished(writable)
        readable.destroy()
        await until(() => readable.closed)
      }
      await settle()
      t.equal(getEventListeners(signal, 'abort').length, 0)
    })
  })
}
