import { Frame, type QueueError, QueueWritable } from 'kernelmq'
import { test } from 'tap'
import { drain, fill, kinds, LARGE, openQueue } from '../fixtures/queues.js'
import { failure, settle, until, write } from '../fixtures/streams.js'

for (const kind of kinds) {
  const defaultType = kind === 'posix' ? 0 : 1

  test(`${kind}: writable`, async (t) => {
    t.test('each chunk is a message', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      t.ok(writable instanceof QueueWritable)
      t.ok(writable.writableObjectMode)
      t.equal(writable.writableHighWaterMark, 16)
      for (const chunk of [
        'a',
        Buffer.from('b'),
        Uint8Array.of(99),
        new DataView(new ArrayBuffer(1)),
      ]) {
        await write(writable, chunk)
      }
      t.same(drain(queue), [
        [defaultType, 'a'],
        [defaultType, 'b'],
        [defaultType, 'c'],
        [defaultType, '\0'],
      ])
    })

    t.test('data is copied before write() returns: its buffer may be used again', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      const buffer = Buffer.alloc(1)
      const written = ['a', 'b', 'c'].map((letter) => {
        buffer.write(letter)
        const chunk = letter === 'b' ? new Frame(defaultType, buffer) : buffer
        return write(writable, chunk)
      })
      buffer.write('x')
      await Promise.all(written)
      t.same(drain(queue), [
        [defaultType, 'a'],
        [defaultType, 'b'],
        [defaultType, 'c'],
      ])
    })

    t.test('what write() refuses is not sent, and shifts nothing', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      const errors: unknown[] = []
      writable.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
      writable.write('a')
      t.throws(() => writable.write('b', 'no encoding' as never), { code: 'ERR_UNKNOWN_ENCODING' })
      t.throws(() => writable.write(null), { code: 'ERR_STREAM_NULL_VALUES' })
      const closed = new Promise((resolve) => writable.once('close', resolve))
      writable.write('c')
      writable.end('d')
      writable.write('e')
      await closed
      t.same(errors, ['ERR_STREAM_WRITE_AFTER_END'])
      t.notMatch(
        drain(queue).map(([, data]) => data),
        /[be]/,
      )
    })

    t.test('cork() and uncork() of one’s own, in pairs or not, keep the order', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      writable.write('a')
      writable.uncork()
      writable.write('b')
      writable.cork()
      writable.write('c')
      writable.uncork()
      writable.uncork()
      await new Promise<void>((resolve) => writable.end('d', () => resolve()))
      t.same(
        drain(queue).map(([, data]) => data),
        ['a', 'b', 'c', 'd'],
      )
    })

    t.test('an empty chunk is an empty message', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      await write(writable, '')
      await write(writable, Buffer.alloc(0))
      t.same(drain(queue), [
        [defaultType, ''],
        [defaultType, ''],
      ])
    })

    t.test('a Frame brings its own type', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      await write(writable, new Frame(7, Buffer.from('seven')))
      await write(writable, new Frame(6n, 'six'))
      t.same(drain(queue).sort(), [
        [6, 'six'],
        [7, 'seven'],
      ])
    })

    t.test('a plain { type, data } counts as a frame', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      await write(writable, { type: 7, data: 'seven' })
      await write(writable, { data: 'default' })
      t.same(new Set(drain(queue).map(String)), new Set(['7,seven', `${defaultType},default`]))
    })

    t.test('type, a number, wins over a frame’s own', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ type: 3 })
      await write(writable, 'a')
      await write(writable, new Frame(7, 'b'))
      await write(writable, { type: 8, data: 'c' })
      t.same(drain(queue), [
        [3, 'a'],
        [3, 'b'],
        [3, 'c'],
      ])
    })

    t.test('type, a function of the chunk, wins over a frame’s own', async (t) => {
      const queue = openQueue(t, kind)
      const chunks: unknown[] = []
      const writable = queue.writable({
        type: (chunk: unknown) => {
          chunks.push(chunk)
          return chunk instanceof Frame ? 4 : 2
        },
      })
      const frame = new Frame(7, 'f')
      await write(writable, 'text')
      await write(writable, frame)
      t.same(chunks, ['text', frame])
      t.equal(chunks[1], frame)
      t.same(new Set(drain(queue).map(String)), new Set(['2,text', '4,f']))
    })

    const wrong = [undefined, null, '1', 1.5, -1, Number.NaN, 2 ** 63, -1n, 2n ** 63n]
    for (const type of wrong) {
      t.test(`a function that gives ${String(type)} for a type fails the write`, async (t) => {
        const queue = openQueue(t, kind)
        const writable = queue.writable({ type: () => type as number })
        const failed = failure(writable)
        await t.rejects(write(writable, 'x'), { code: /ERR_OUT_OF_RANGE|ERR_INVALID_ARG_TYPE/ })
        t.match(await failed, { message: /options\.type\(\)/ })
        t.equal(queue.stats().messages, 0)
      })
    }

    t.test('a function that throws fails the write with what it throws', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({
        type: () => {
          throw new Error('no type')
        },
      })
      const failed = failure(writable)
      writable.write('x')
      t.match(await failed, { message: 'no type' })
    })

    t.test('a frame with a wrong type fails the write', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      const failed = failure(writable)
      writable.write({ type: kind === 'posix' ? 32768 : 0, data: 'x' })
      t.match(await failed, {
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message: /chunk\.type/,
      })
    })

    for (const chunk of [1, true, {}, new Date(), [1], { type: 1, data: 5 }, new Frame(1, {})]) {
      t.test(`${JSON.stringify(chunk)} is no data and fails the write`, async (t) => {
        const queue = openQueue(t, kind)
        const writable = queue.writable()
        const failed = failure(writable)
        await t.rejects(write(writable, chunk), { code: 'ERR_INVALID_ARG_TYPE' })
        t.match(await failed, { name: 'TypeError', message: /"chunk"/ })
        t.equal(queue.stats().messages, 0)
      })
    }

    t.test('a callback means that the kernel has the message', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      const counts: number[] = []
      for (let i = 0; i < 5; i++) {
        writable.write('x', () => counts.push(queue.stats().messages))
      }
      await until(() => counts.length === 5)
      for (const [i, count] of counts.entries()) t.ok(count > i)
    })

    t.test('no callback comes while the queue is full', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writable = queue.writable()
      let written = 0
      for (const text of ['a', 'b']) writable.write(text.repeat(LARGE), () => written++)
      await settle()
      t.equal(written, 0)
      queue.tryReceive()
      await until(() => queue.stats().messages === 10)
      await settle()
      t.ok(written <= 1, 'the second is not in the kernel')
      queue.tryReceive()
      await until(() => written === 2)
      t.same(
        drain(queue).map(([, text]) => text[0]),
        [...Array(8).fill('x'), 'a', 'b'],
      )
    })

    t.test('finish comes after the last message is in the kernel', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      for (let i = 0; i < 30; i++) writable.write(String(i).padEnd(LARGE))
      writable.end()
      const seen: string[] = []
      let finished = false
      writable.on('finish', () => {
        finished = true
      })
      while (seen.length < 30) {
        if (seen.length < 20) t.equal(finished, false)
        seen.push((await queue.receive()).data.toString().trim())
      }
      await until(() => finished)
      t.same(
        seen,
        Array.from({ length: 30 }, (_, i) => String(i)),
      )
    })

    t.test('write returns false at the mark, and drain follows', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writable = queue.writable({ highWaterMark: 3 })
      t.equal(writable.write('a'.repeat(LARGE)), true)
      t.equal(writable.write('b'.repeat(LARGE)), true)
      t.equal(writable.write('c'.repeat(LARGE)), false)
      let drained = false
      writable.once('drain', () => {
        drained = true
      })
      await settle()
      t.equal(drained, false)
      drain(queue)
      await until(() => drained)
    })

    t.test('a message over the limit fails with EMSGSIZE and is not sent', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      const failed = failure<QueueError>(writable)
      writable.write('short')
      const long = write(writable, Buffer.alloc(queue.maxMessageSize + 1))
      await t.rejects(long, { name: 'QueueError', code: 'EMSGSIZE' })
      t.match((await failed).hint, /bytes are above/)
      t.same(
        drain(queue).map(([, text]) => text),
        ['short'],
      )
    })

    t.test('a string over the limit takes no memory, and its bytes are told', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      const failed = failure<QueueError>(writable)
      const text = 'ü'.repeat(10_000_000)
      const before = process.memoryUsage().arrayBuffers
      writable.write(text)
      const taken = process.memoryUsage().arrayBuffers - before
      t.ok(taken < 1_000_000, `${taken} bytes`)
      t.match(await failed, { code: 'EMSGSIZE', hint: /20000000 bytes are above/ })
      const characters = queue.writable()
      const refused = failure<QueueError>(characters)
      characters.write('ü'.repeat(queue.maxMessageSize - 1))
      t.match(await refused, { code: 'EMSGSIZE' })
      t.equal(queue.stats().messages, 0)
    })

    t.test('destroy gives a message up that waits for room', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writable = queue.writable()
      const failed = failure(writable)
      const writing = write(writable, Buffer.alloc(LARGE))
      await settle()
      writable.destroy(new Error('given up'))
      await t.rejects(writing)
      t.match(await failed, { message: 'given up' })
      t.equal(drain(queue).length, 10)
      await settle()
      t.equal(queue.stats().messages, 0)
    })

    t.test('an abort gives a message up that waits for room', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const controller = new AbortController()
      const writable = queue.writable({ signal: controller.signal })
      const failed = failure(writable)
      writable.write(Buffer.alloc(LARGE))
      await settle()
      controller.abort()
      t.match(await failed, { name: 'AbortError' })
      t.equal(drain(queue).length, 10)
      await settle()
      t.equal(queue.stats().messages, 0)
    })

    t.test('a signal aborted before fails it, and nothing is sent', async (t) => {
      const queue = openQueue(t, kind)
      for (const objectMode of [true, false]) {
        const writable = queue.writable({ objectMode, signal: AbortSignal.abort() })
        t.match(await failure(writable), { name: 'AbortError' })
      }
      t.equal(queue.stats().messages, 0)
    })

    t.test('eof: end() sends one empty message of its type', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ eof: true, type: 3 })
      writable.end('x')
      await until(() => writable.writableFinished)
      t.same(drain(queue), [
        [3, 'x'],
        [3, ''],
      ])
    })

    t.test('eof: the mark has the default type where none is given', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ eof: true })
      writable.end()
      await until(() => writable.writableFinished)
      t.same(drain(queue), [[defaultType, '']])
    })

    t.test('without eof end() sends nothing', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      writable.end()
      await until(() => writable.writableFinished)
      t.equal(queue.stats().messages, 0)
    })

    t.test('eof: a destroyed writable sends no mark', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ eof: true })
      writable.write('x')
      writable.destroy()
      await until(() => writable.closed)
      t.ok(drain(queue).every(([, text]) => text !== ''))
    })

    t.test('a source that never waits leaves timers their turn', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable()
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      await new Promise<void>((resolve) => {
        let count = 0
        const next = () => {
          queue.tryReceive()
          if (++count === 200_000 || ticks === 3) resolve()
          else writable.write('x', next)
        }
        next()
      })
      clearInterval(timer)
      t.equal(ticks, 3)
    })
  })
}
