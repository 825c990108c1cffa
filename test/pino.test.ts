import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { MessageQueue } from 'kernelmq'
import { pino } from 'pino'
import t from 'tap'
import { cleanEnvironment } from './fixtures/kmq.js'
import { drain, kinds, openQueue } from './fixtures/queues.js'

// The worker of a transport does not keep its process alive, nor does waiting for it.
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

interface Line {
  level: number
  msg: string
  dropped?: number
}

/** A logger into the queue; `end` resolves when its worker has ended. */
async function loggerFor(queue: MessageQueue, options: object = {}) {
  const transport = pino.transport({
    target: 'kernelmq/pino',
    options: { queue: queue.address, ...options },
  })
  await once(transport, 'ready')
  const end = async () => {
    const closed = once(transport, 'close')
    transport.end()
    await closed
  }
  return { logger: pino({ level: 'trace' }, transport), end }
}

function lines(queue: MessageQueue): { type: number | bigint; line: Line }[] {
  return drain(queue).map(([type, text]) => ({ type, line: JSON.parse(text) }))
}

for (const kind of kinds) {
  t.test(kind, async (t) => {
    t.test('each line is a message, and its level the type', async (t) => {
      const queue = openQueue(t, kind)
      const { logger, end } = await loggerFor(queue)
      logger.info('listening')
      logger.error('failed')
      logger.trace('detail')
      await end()
      const received = lines(queue).map(({ type, line }) => [type, line.level, line.msg])
      t.same(
        received,
        kind === 'posix'
          ? // Errors overtake.
            [
              [50, 50, 'failed'],
              [30, 30, 'listening'],
              [10, 10, 'detail'],
            ]
          : [
              [30, 30, 'listening'],
              [50, 50, 'failed'],
              [10, 10, 'detail'],
            ],
      )
    })

    t.test('with a full queue the transport waits, and loses nothing', async (t) => {
      const queue = openQueue(t, kind)
      const { logger, end } = await loggerFor(queue)
      for (let i = 0; i < 100; i++) logger.info(`line ${i}`)
      const ended = end()
      const received: string[] = []
      for (let i = 0; i < 100; i++) {
        const { data } = await queue.receive()
        received.push(JSON.parse(data.toString()).msg)
      }
      await ended
      t.same(
        received,
        Array.from({ length: 100 }, (_, i) => `line ${i}`),
      )
    })

    for (const onFull of ['drop-new', 'drop-old']) {
      t.test(`onFull ${onFull}: what is dropped is counted and reported in the log`, async (t) => {
        const queue = openQueue(t, kind)
        const { logger, end } = await loggerFor(queue, { onFull })
        const sent = 100
        for (let i = 0; i < sent; i++) logger.info(`line ${i}`)
        // Until the last of them has been dealt with, the next one is not.
        logger.flush()
        let left = lines(queue)
        logger.info('room again')
        await end()
        left = [...left, ...lines(queue)]
        const reported = left.reduce((sum, { line }) => sum + (line.dropped ?? 0), 0)
        const arrived = left.filter(({ line }) => line.dropped === undefined).length
        t.ok(reported > 0)
        t.equal(arrived + reported, sent + 1)
        t.match(left.find(({ line }) => line.dropped)?.line, { level: 40, name: 'kernelmq' })
      })
    }
  })
}

t.test('a reader may ask for one level of a System V queue', async (t) => {
  const queue = openQueue(t, 'sysv')
  const { logger, end } = await loggerFor(queue)
  logger.info('listening')
  logger.error('failed')
  await end()
  t.match(JSON.parse(String(queue.tryReceive({ type: 50 })?.data)), { msg: 'failed' })
})

t.test('a line longer than a message is dropped, and that is reported', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 1000 })
  const { logger, end } = await loggerFor(queue)
  logger.info('x'.repeat(1000))
  logger.info('short')
  await end()
  t.match(
    lines(queue).map(({ line }) => line),
    [{ msg: 'short' }, { dropped: 1, msg: /longer than 1000 bytes/ }],
  )
})

t.test('levels by name are known', async (t) => {
  const queue = openQueue(t, 'sysv')
  const { default: transport } = await import('kernelmq/pino')
  const stream = transport({ queue: queue.address })
  stream.write('{"level":"error","msg":"a"}\n{"msg":"no level"}\nnot ')
  stream.end('JSON')
  await once(stream, 'close')
  t.same(
    drain(queue).map(([type]) => type),
    [50, 30, 30],
  )
})

t.test('options that are unknown are refused by name', async (t) => {
  const { default: transport } = await import('kernelmq/pino')
  const { address } = openQueue(t, 'sysv')
  t.throws(() => transport({ queue: address, onfull: 'wait' } as never), { message: /onfull/ })
  t.throws(() => transport({ queue: address, onFull: 'drop' as never }), { message: /onFull/ })
})

t.test('at process.exit everything that was logged arrives', async (t) => {
  const queue = openQueue(t, 'posix')
  const script = fileURLToPath(new URL('fixtures/pino-exit.js', import.meta.url))
  const child = fork(script, [queue.address], { env: cleanEnvironment, execArgv: [] })
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  for (let i = 0; i < 50; i++) {
    const { data } = await queue.receive()
    t.equal(JSON.parse(data.toString()).msg, `line ${i}`)
  }
  t.same(await closed, [0, null])
})
