import fc from 'fast-check'
import { type Codec, Frame, type QueueError } from 'kernelmq'
import { test } from 'tap'
import { drain, kinds, openQueue } from '../fixtures/queues.js'
import { failure, settle, take, until, write } from '../fixtures/streams.js'

/** Numbers as one byte. */
const byte: Codec<number> = {
  encode: (value) => Uint8Array.of(value),
  decode(data) {
    if (data.length !== 1) throw new Error('not one byte')
    return data[0] as number
  },
}

for (const kind of kinds) {
  const defaultType = kind === 'posix' ? 0 : 1

  test(`${kind}: codecs`, async (t) => {
    t.test('buffer is the default', async (t) => {
      const queue = openQueue(t, kind)
      await write(queue.writable({ codec: 'buffer' }), 'x')
      const readable = queue.readable()
      const [frame] = await take<Frame>(readable, 1)
      t.ok(Buffer.isBuffer(frame?.data))
      readable.destroy()
    })

    t.test('utf8 makes strings', async (t) => {
      const queue = openQueue(t, kind)
      await write(queue.writable({ codec: 'utf8' }), 'ü€')
      const readable = queue.readable({ codec: 'utf8' })
      const [frame] = await take<Frame<string>>(readable, 1)
      t.equal(frame?.data, 'ü€')
      t.ok(frame instanceof Frame)
      readable.destroy()
    })

    t.test('any JSON value comes out as it went in', async (t) => {
      const queue = openQueue(
        t,
        kind,
        kind === 'posix' ? { maxMessageSize: 4096 } : { maxBytes: 8192 },
      )
      const writable = queue.writable({ codec: 'json' })
      const readable = queue.readable({ codec: 'json' })
      const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => value !== null)
      await fc.assert(
        fc.asyncProperty(json, async (value) => {
          const text = JSON.stringify(value)
          if (text.length > 4000 || /__proto__|constructor/.test(text)) return
          await write(writable, value)
          const [frame] = await take<Frame<unknown>>(readable, 1)
          t.same(frame?.data, JSON.parse(text))
        }),
        { numRuns: 50 },
      )
      readable.destroy()
    })

    t.test('json carries null in a frame', async (t) => {
      const queue = openQueue(t, kind)
      await write(queue.writable({ codec: 'json' }), new Frame(3, null))
      const readable = queue.readable({ codec: 'json' })
      t.same(await take(readable, 1), [new Frame(3, null)])
      readable.destroy()
    })

    t.test('json drops __proto__ and constructor.prototype', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('{"a":1,"__proto__":{"bad":1},"b":{"__proto__":{"bad":1}}}')
      await queue.send('{"a":1,"constructor":{"prototype":{"bad":1}}}')
      const readable = queue.readable({ codec: 'json' })
      for (const { data } of await take<Frame<Record<string, unknown>>>(readable, 2)) {
        t.equal(data.a, 1)
        t.notOk(Object.hasOwn(data, '__proto__'))
        t.equal(data.bad, undefined)
        t.equal(Object.assign({}, data).bad, undefined)
        t.notOk(Object.hasOwn(Object(data.constructor), 'bad'))
        t.notOk(JSON.stringify(data).includes('bad'))
      }
      readable.destroy()
    })

    t.test('a codec of one’s own encodes and decodes', async (t) => {
      const queue = openQueue(t, kind)
      await write(queue.writable({ codec: byte, type: 4 }), 200)
      const readable = queue.readable({ codec: byte })
      t.same(await take(readable, 1), [new Frame(4, 200)])
      readable.destroy()
    })

    t.test('with another codec than buffer, only a Frame is a frame', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ codec: 'json' })
      await write(writable, new Frame(4, { a: 1 }))
      await write(writable, { type: 4, data: { a: 1 } })
      const messages = drain(queue)
      t.same(
        new Set(messages.map(String)),
        new Set(['4,{"a":1}', `${defaultType},{"type":4,"data":{"a":1}}`]),
      )
    })

    t.test(
      'a message that does not decode is an invalid event, and the stream goes on',
      async (t) => {
        const queue = openQueue(t, kind)
        for (const text of ['1', '{', '2', '', '3']) await queue.send(text, { type: 3 })
        const readable = queue.readable({ codec: 'json' })
        const invalid: [QueueError, Frame][] = []
        readable.on('invalid', (error, frame) => invalid.push([error, frame]))
        const frames = await take<Frame<unknown>>(readable, 3)
        t.same(
          frames.map(({ data }) => data),
          [1, 2, 3],
        )
        t.equal(invalid.length, 2)
        for (const [i, [error, frame]] of invalid.entries()) {
          t.match(error, {
            name: 'QueueError',
            code: 'ERR_INVALID_MESSAGE',
            address: queue.address,
          })
          t.ok(error.cause instanceof SyntaxError)
          t.equal(error.frame, frame)
          t.ok(frame instanceof Frame)
          t.equal(frame.type, 3)
          t.equal(String(frame.data), ['{', ''][i])
        }
        readable.destroy()
      },
    )

    t.test('an invalid message that ends a wait does not stop the stream', async (t) => {
      const queue = openQueue(t, kind)
      const readable = queue.readable({ codec: 'json', highWaterMark: 0 })
      let invalid = 0
      readable.on('invalid', () => invalid++)
      const reading = take<Frame<unknown>>(readable, 1)
      for (const text of ['{', '{', '5']) {
        await settle()
        await queue.send(text)
      }
      t.same(await reading, [new Frame(defaultType, 5)])
      t.equal(invalid, 2)
      readable.destroy()
    })

    t.test('with no listener for it, the stream fails and the error has the frame', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['1', 'nonsense', '3']) await queue.send(text, { type: 3 })
      const readable = queue.readable({ codec: 'json' })
      const seen: unknown[] = []
      readable.on('data', ({ data }) => seen.push(data))
      const error = await failure<QueueError>(readable)
      t.match(error, { name: 'QueueError', code: 'ERR_INVALID_MESSAGE', address: queue.address })
      t.equal(error.frame?.data.toString(), 'nonsense')
      t.equal(error.frame?.type, 3)
      await until(() => readable.closed)
      t.same(seen, [1])
      t.same(drain(queue), [[3, '3']], 'what came after it is back in the queue')
    })

    t.test('what a codec of one’s own throws is the cause', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('two')
      const readable = queue.readable({ codec: byte })
      readable.resume()
      t.match(await failure(readable), {
        code: 'ERR_INVALID_MESSAGE',
        cause: { message: 'not one byte' },
      })
    })

    t.test('unread frames go back as the bytes they came in', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['1', '{ "a" : 1 }', '3e0']) await queue.send(text)
      const readable = queue.readable({ codec: 'json' })
      await take(readable, 1)
      readable.destroy()
      await until(() => readable.closed)
      t.same(
        drain(queue).map(([, text]) => text),
        ['{ "a" : 1 }', '3e0'],
      )
    })

    const circular: Record<string, unknown> = {}
    circular.self = circular
    for (const [codec, value, name] of [
      ['json', () => {}, 'a function'],
      ['json', circular, 'a circle'],
      ['json', 1n, 'a bigint'],
      ['utf8', 5, 'a number'],
      ['utf8', Buffer.from('x'), 'a buffer'],
    ] as const) {
      t.test(`${name} has no ${codec} form and fails the write`, async (t) => {
        const queue = openQueue(t, kind)
        const writable = queue.writable({ codec })
        const failed = failure(writable)
        const expected = { name: 'TypeError', code: /^ERR_INVALID_ARG_/, message: /"chunk"/ }
        await t.rejects(write(writable, value), expected)
        t.match(await failed, expected)
        t.equal(queue.stats().messages, 0)
      })
    }

    for (const thrown of [undefined, null, 'text']) {
      t.test(`a codec that throws ${thrown} fails the write with an Error`, async (t) => {
        const queue = openQueue(t, kind)
        const encode = () => {
          throw thrown
        }
        const writable = queue.writable({ codec: { encode, decode: String } })
        const failed = failure(writable)
        await t.rejects(write(writable, 'x'), { code: 'ERR_INVALID_ARG_VALUE' })
        t.strictSame((await failed).cause, thrown)
        t.equal(queue.stats().messages, 0)
      })
    }

    t.test('a codec is asked once for each value, and may send meanwhile', async (t) => {
      const queue = openQueue(t, kind)
      const asked: unknown[] = []
      const codec: Codec<string> = {
        encode(value) {
          asked.push(value)
          queue.trySend(`before ${value}`)
          if (value === 'none') throw new Error('its own')
          return value
        },
        decode: String,
      }
      const writable = queue.writable({ codec })
      const failed = failure(writable)
      writable.write('one')
      writable.write('two')
      writable.end('none')
      t.match(await failed, { message: 'its own' })
      t.same(asked, ['one', 'two', 'none'])
      t.same(
        drain(queue).map(([, text]) => text),
        ['before one', 'before two', 'before none', 'one', 'two'],
      )
    })

    t.test('a codec that encodes to no data fails the write', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ codec: { encode: () => 5 as never, decode: String } })
      const failed = failure(writable)
      writable.write('x')
      t.match(await failed, { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    })

    for (const codec of ['JSON', 'toString', '', null, 5, {}, { encode() {} }, { decode() {} }]) {
      t.test(`${JSON.stringify(codec)} is no codec`, async (t) => {
        const queue = openQueue(t, kind)
        const refused = {
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_VALUE',
          message: /"options\.codec"/,
        }
        t.throws(() => queue.readable({ codec: codec as never }), refused)
        t.throws(() => queue.writable({ codec: codec as never }), refused)
        t.throws(() => queue.consumer({ codec: codec as never }), refused)
      })
    }

    t.test('byte mode has no codec', async (t) => {
      const queue = openQueue(t, kind)
      const refused = { code: 'ERR_INVALID_ARG_VALUE', message: /"options\.codec"/ }
      t.throws(() => queue.readable({ objectMode: false, codec: 'json' }), refused)
      t.throws(() => queue.writable({ objectMode: false, codec: byte }), refused)
    })

    t.test('the end-of-stream mark is an empty message with any codec', async (t) => {
      const queue = openQueue(t, kind)
      const writable = queue.writable({ codec: 'json', eof: true })
      writable.end({ a: 1 })
      const readable = queue.readable({ codec: 'json', eof: true })
      const seen: unknown[] = []
      for await (const { data } of readable) seen.push(data)
      t.same(seen, [{ a: 1 }])
    })
  })
}
