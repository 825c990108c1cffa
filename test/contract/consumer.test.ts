import { EventEmitter } from 'eventemitter3'
import { type Frame, QueueConsumer, type QueueError } from 'kernelmq'
import { test } from 'tap'
import { inChild } from '../fixtures/child.js'
import { drain, fill, kinds, openAgain, openQueue, texts } from '../fixtures/queues.js'
import { settle, until } from '../fixtures/streams.js'

for (const kind of kinds) {
  test(`${kind}: consumer`, async (t) => {
    t.test('message brings each frame', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer()
      t.ok(consumer instanceof QueueConsumer)
      t.ok(consumer instanceof EventEmitter)
      const frames: Frame[] = []
      consumer.on('message', (frame) => frames.push(frame))
      for (const text of ['a', '', 'c']) await queue.send(text, { type: 3 })
      await until(() => frames.length === 3)
      t.same(texts(frames), ['a', '', 'c'])
      t.ok(frames.every(({ type }) => type === 3))
      await consumer.close()
    })

    t.test('message:type brings those of one type', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer()
      const heard: string[] = []
      consumer.on('message:7', ({ data }) => heard.push(`seven ${data}`))
      consumer.on('message:8', ({ data }) => heard.push(`eight ${data}`))
      consumer.on('message', ({ type }) => heard.push(`any ${type}`))
      for (const type of [9, 8, 7]) await queue.send('x', { type })
      await until(() => heard.length === 5)
      t.same(heard.sort(), ['any 7', 'any 8', 'any 9', 'eight x', 'seven x'])
      await consumer.close()
    })

    t.test('takes nothing before a message listener is attached', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x')
      const consumer = queue.consumer()
      consumer.on('error', () => {})
      consumer.on('close', () => {})
      consumer.on('invalid', () => {})
      await settle()
      t.equal(queue.stats().messages, 1)
      await consumer.close()
    })

    for (const attach of ['on', 'once', 'addListener'] as const) {
      for (const event of ['message', 'message:5'] as const) {
        t.test(`starts with ${attach}('${event}')`, async (t) => {
          const queue = openQueue(t, kind)
          await queue.send('x', { type: 5 })
          const consumer = queue.consumer()
          const frame = await new Promise<Frame>((resolve) => consumer[attach](event, resolve))
          t.equal(frame.data.toString(), 'x')
          await consumer.close()
        })
      }
    }

    t.test('starts at the next turn: listeners attached meanwhile hear all', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x', { type: 5 })
      const heard: string[] = []
      const consumer = queue.consumer()
      consumer.on('message', () => heard.push('message'))
      t.equal(queue.stats().messages, 1)
      await null
      await new Promise<void>((resolve) => process.nextTick(resolve))
      t.same(heard, [])
      consumer.on('message:5', () => heard.push('message:5'))
      await until(() => heard.length === 2)
      t.same(heard, ['message', 'message:5'])
      await consumer.close()
    })

    t.test('events of other names, also symbols, are listened to and start nothing', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer()
      const name = Symbol('event') as never
      await queue.send('x')
      let heard = 0
      consumer.on(name, () => heard++)
      consumer.once(name, () => heard++)
      consumer.emit(name, undefined as never)
      t.equal(heard, 2)
      await settle()
      t.equal(queue.stats().messages, 1)
      await consumer.close()
    })

    t.test('pause and resume', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer({ highWaterMark: 1 })
      const heard: string[] = []
      consumer.on('message', ({ data }) => {
        heard.push(data.toString())
        if (heard.length === 2) t.equal(consumer.pause(), consumer)
      })
      for (const text of ['a', 'b', 'c', 'd', 'e']) await queue.send(text)
      await until(() => heard.length === 2)
      await settle()
      t.same(heard, ['a', 'b'])
      t.ok(queue.stats().messages >= 1)
      t.equal(consumer.resume(), consumer)
      await until(() => heard.length === 5)
      t.same(heard, ['a', 'b', 'c', 'd', 'e'])
      await consumer.close()
    })

    t.test('paused before the start it begins with resume', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x')
      const consumer = queue.consumer()
      let heard = 0
      consumer.pause().on('message', () => heard++)
      await settle()
      t.equal(heard, 0)
      consumer.resume()
      await until(() => heard === 1)
      await consumer.close()
    })

    t.test('resume before the start takes nothing', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x')
      const consumer = queue.consumer()
      t.equal(consumer.resume(), consumer)
      await settle()
      t.equal(queue.stats().messages, 1)
      const frame = await new Promise<Frame>((resolve) => consumer.once('message', resolve))
      t.equal(frame.data.toString(), 'x')
      await consumer.close()
    })

    t.test('paused and resumed before the start it starts', async (t) => {
      const orders: ('pause' | 'resume' | 'listen')[][] = [
        ['listen', 'pause', 'resume'],
        ['pause', 'listen', 'resume'],
        ['pause', 'resume', 'listen'],
      ]
      for (const order of orders) {
        const queue = openQueue(t, kind)
        const consumer = queue.consumer()
        let heard = 0
        const steps = {
          pause: () => consumer.pause(),
          resume: () => consumer.resume(),
          listen: () => consumer.on('message', () => heard++),
        }
        for (const step of order) steps[step]()
        await queue.send('x')
        await until(() => heard === 1)
        t.equal(heard, 1, order.join(', '))
        await consumer.close()
      }
    })

    t.test('close puts unread frames back and tells', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      const consumer = queue.consumer()
      let closed = 0
      consumer.on('close', () => closed++)
      const heard: string[] = []
      consumer.on('message', ({ data }) => {
        heard.push(data.toString())
        consumer.close()
      })
      await until(() => closed === 1)
      await consumer.close()
      t.equal(closed, 1)
      t.same(heard, ['a'])
      t.same(
        drain(queue).map(([, text]) => text),
        ['b', 'c'],
      )
    })

    t.test('close resolves when it has closed, and nothing is taken then', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer()
      let closed = false
      consumer.on('close', () => {
        closed = true
      })
      consumer.on('message', () => t.fail('closed'))
      await settle()
      await consumer.close()
      t.equal(closed, true)
      await queue.send('')
      await settle()
      t.equal(queue.stats().messages, 1)
    })

    t.test('close before the start', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('x')
      const consumer = queue.consumer()
      consumer.on('message', () => t.fail('closed'))
      await consumer.close()
      await settle()
      t.equal(queue.stats().messages, 1)
    })

    t.test('frames that do not fit back are an error', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const consumer = queue.consumer()
      const errors: QueueError[] = []
      consumer.on('error', (error) => errors.push(error as QueueError))
      await new Promise<void>((resolve) => {
        consumer.on('message', () => {
          fill(queue)
          consumer.close().then(resolve)
        })
      })
      t.match(errors, [{ code: 'ERR_FRAMES_LOST' }])
      t.equal(errors[0]?.frames?.length, 9)
    })

    t.test('invalid tells of a message that does not decode, and it goes on', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer({ codec: 'json' })
      const heard: string[] = []
      consumer.on('invalid', (error, frame) =>
        heard.push(`${(error as QueueError).code} ${frame.data}`),
      )
      consumer.on('message', ({ data }) => heard.push(JSON.stringify(data)))
      for (const text of ['[1]', '{', '[2]']) await queue.send(text)
      await until(() => heard.length === 3)
      t.same(heard, ['[1]', 'ERR_INVALID_MESSAGE {', '[2]'])
      await consumer.close()
    })

    t.test('with no listener for it, that is an error', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer({ codec: 'json' })
      const error = new Promise<QueueError>((resolve) => {
        consumer.on('error', (error) => resolve(error as QueueError))
      })
      consumer.on('message', () => t.fail('it is invalid'))
      await queue.send('{')
      t.match(await error, { code: 'ERR_INVALID_MESSAGE', frame: { data: Buffer.from('{') } })
      await consumer.close()
    })

    t.test('eof closes it', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer({ eof: true })
      const heard: string[] = []
      consumer.on('message', ({ data }) => heard.push(data.toString()))
      const closed = new Promise<void>((resolve) => consumer.on('close', resolve))
      for (const text of ['a', '']) await queue.send(text)
      await closed
      t.same(heard, ['a'])
    })

    t.test('a signal aborts it', async (t) => {
      const queue = openQueue(t, kind)
      const controller = new AbortController()
      const consumer = queue.consumer({ signal: controller.signal })
      const error = new Promise<Error>((resolve) => consumer.on('error', resolve))
      consumer.on('message', () => {})
      await settle()
      controller.abort()
      t.match(await error, { name: 'AbortError' })
    })

    t.test('closing the queue closes it without an error', async (t) => {
      const queue = openQueue(t, kind)
      const consumer = queue.consumer()
      consumer.on('error', (error) => t.fail(error))
      consumer.on('message', () => {})
      const closed = new Promise<void>((resolve) => consumer.on('close', resolve))
      await settle()
      await queue.close()
      await closed
    })

    t.test('an error that nobody listens to is thrown', async (t) => {
      const queue = openQueue(t, kind)
      const code = await inChild(
        async ({ open }, address: string) => {
          const thrown = new Promise<string>((resolve) => {
            process.on('uncaughtException', (error: NodeJS.ErrnoException) =>
              resolve(String(error.code)),
            )
          })
          open(address, { access: 'write' })
            .consumer()
            .on('message', () => {})
          return thrown
        },
        { args: [queue.address] },
      )
      t.equal(code, 'EBADF')
    })

    t.test('two consumers share the messages', async (t) => {
      const queue = openQueue(t, kind)
      const seen: string[] = []
      const consumers = [queue.consumer(), openAgain(t, queue).consumer()]
      for (const consumer of consumers) {
        consumer.on('message', ({ data }) => seen.push(data.toString()))
      }
      for (let i = 0; i < 50; i++) await queue.send(String(i))
      await until(() => seen.length >= 50)
      t.equal(new Set(seen).size, 50)
      for (const consumer of consumers) await consumer.close()
    })

    t.test('takes the options of readable', async (t) => {
      const queue = openQueue(t, kind)
      t.throws(() => queue.consumer({ tpye: 1 } as never), { message: /"options\.tpye"/ })
      const consumer = queue.consumer({ bigint: true })
      const frame = new Promise<Frame>((resolve) => consumer.on('message', resolve))
      const keyed = new Promise<Frame>((resolve) => consumer.on('message:5', resolve))
      await queue.send('x', { type: 5 })
      t.equal((await frame).type, 5n)
      t.equal(await keyed, await frame)
      await consumer.close()
    })
  })
}

test('sysv: a queue removed under a consumer is an error', async (t) => {
  const queue = openQueue(t, 'sysv')
  const consumer = queue.consumer()
  const error = new Promise<Error>((resolve) => consumer.on('error', resolve))
  consumer.on('message', () => {})
  await settle()
  queue.unlink()
  t.match(await error, { name: 'QueueError', code: 'EIDRM' })
})
