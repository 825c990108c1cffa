import fc from 'fast-check'
import { test } from 'tap'
import { drain, fill, kinds, LARGE, openQueue, texts } from '../fixtures/queues.js'

const arrays = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]

for (const kind of kinds) {
  test(`${kind}: data`, async (t) => {
    for (const TypedArray of arrays) {
      t.test(`a part of a ${TypedArray.name} is sent as its bytes`, async (t) => {
        const queue = openQueue(t, kind)
        const memory = Uint8Array.from({ length: 64 }, (_, i) => i).buffer
        const view = new TypedArray(memory, 16, 2)
        await queue.send(view)
        const expected = Buffer.from(memory, 16, view.byteLength)
        t.ok((await queue.receive()).data.equals(expected))
        t.ok(queue.trySend(view))
        t.ok(queue.tryReceive()?.data.equals(expected))
      })
    }

    t.test('a DataView is sent as its bytes', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send(new DataView(Uint8Array.of(1, 2, 3, 4, 5).buffer, 1, 3))
      t.ok((await queue.receive()).data.equals(Buffer.of(2, 3, 4)))
    })

    t.test('a part of a pooled Buffer is sent', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send(Buffer.from('xhellox').subarray(1, -1))
      t.equal((await queue.receive()).data.toString(), 'hello')
    })

    t.test('a view of shared memory is sent', async (t) => {
      const queue = openQueue(t, kind)
      const shared = new Uint8Array(new SharedArrayBuffer(4))
      shared.set([4, 3, 2, 1])
      await queue.send(shared)
      t.ok((await queue.receive()).data.equals(Buffer.of(4, 3, 2, 1)))
    })

    t.test('a string is sent as UTF-8', async (t) => {
      const queue = openQueue(t, kind)
      const text = 'aß€𝄞\0z'
      await queue.send(text)
      t.ok((await queue.receive()).data.equals(Buffer.from(text)))
    })

    t.test('a lone surrogate is sent as Buffer.from() has it', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('\ud800x')
      t.ok((await queue.receive()).data.equals(Buffer.from('\ud800x')))
    })

    t.test('any bytes come out as they went in', async (t) => {
      const queue = openQueue(t, kind)
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: LARGE }), async (data) => {
          await queue.send(data)
          const { data: received } = await queue.receive()
          return received.equals(data)
        }),
      )
    })

    t.test('any messages written together come out as they went in', async (t) => {
      // Long ones: what they are gathered in has to grow.
      const long = 8000
      const options = kind === 'posix' ? { maxMessageSize: long } : { maxBytes: 2 * long }
      const queue = openQueue(t, kind, options)
      const anyData = fc.uint8Array({ maxLength: long, size: 'max' })
      await fc.assert(
        fc.asyncProperty(fc.array(anyData, { minLength: 1, maxLength: 5 }), async (messages) => {
          const writable = queue.writable()
          for (const message of messages) writable.write(message)
          writable.end()
          for (const message of messages) {
            const { data } = await queue.receive()
            if (!data.equals(message)) return false
          }
          return true
        }),
      )
    })

    t.test('any string comes out as it went in', async (t) => {
      const queue = openQueue(t, kind)
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: LARGE / 4 }), async (text) => {
          await queue.send(text)
          const { data } = await queue.receive()
          return data.equals(Buffer.from(text))
        }),
      )
    })

    t.test('data is copied before the call returns, also where the send waits', async (t) => {
      const queue = openQueue(t, kind)
      const data = Buffer.alloc(LARGE, 'a')
      const sending: Promise<void>[] = []
      for (let i = 0; i < 20; i++) {
        data.fill(97 + i)
        sending.push(queue.send(data))
      }
      data.fill('z')
      for (let i = 0; i < 20; i++) {
        const received = (await queue.receive()).data
        t.ok(received.equals(Buffer.alloc(LARGE, 97 + i)))
      }
      await Promise.all(sending)
    })

    t.test('data whose memory is transferred away after the call is safe', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const data = new Uint8Array(LARGE).fill(7)
      const sending = queue.send(data)
      structuredClone(data.buffer, { transfer: [data.buffer] })
      await queue.receive()
      await sending
      t.equal(drain(queue).at(-1)?.[1], '\x07'.repeat(LARGE))
    })

    t.test('received memory cannot be transferred from under other frames', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('a')
      await queue.send('b')
      const [a, b] = [await queue.receive(), await queue.receive()]
      const { port1 } = new MessageChannel()
      t.teardown(() => port1.close())
      const memory = a.data.buffer as ArrayBuffer
      try {
        port1.postMessage(memory, [memory])
      } catch (error) {
        // Node 20 copies without a word; later ones refuse.
        t.equal((error as Error).name, 'DataCloneError')
      }
      t.same(texts([a, b]), ['a', 'b'])
      await queue.send('c')
      t.equal((await queue.receive()).data.toString(), 'c')
    })

    t.test('a view of memory that was transferred away is refused', async (t) => {
      const queue = openQueue(t, kind)
      const memory = () => new ArrayBuffer(16)
      const views = [new Uint8Array(memory()), new Float64Array(memory()), new DataView(memory())]
      for (const data of views) {
        structuredClone(data.buffer, { transfer: [data.buffer] })
        const refused = { code: 'ERR_INVALID_ARG_VALUE', message: /"data" is a view of a detached/ }
        await t.rejects(queue.send(data), refused)
        t.throws(() => queue.trySend(data), refused)
      }
      t.equal(queue.stats().messages, 0)
    })

    t.test('data that is too long leaves no memory behind', async (t) => {
      const queue = openQueue(t, kind)
      const held = () => process.memoryUsage().arrayBuffers
      const before = held()
      t.throws(() => queue.trySend('x'.repeat(30e6)), { code: 'EMSGSIZE' })
      t.ok(held() - before < 1e6)
    })

    const wrong = [undefined, null, 1, true, {}, [1], new ArrayBuffer(4), Symbol('s'), () => {}, 1n]
    for (const data of wrong) {
      t.test(`${String(data) || '[]'} of type ${typeof data} is no data`, async (t) => {
        const queue = openQueue(t, kind)
        const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /"data"/ }
        await t.rejects(queue.send(data as never), refused)
        t.throws(() => queue.trySend(data as never), refused)
        t.equal(queue.stats().messages, 0)
      })
    }
  })
}
