/** What the garbage collector does with handles. */
import { test } from 'tap'
import { startProgram } from './fixtures/processes.js'
import { kinds, openQueue } from './fixtures/queues.js'
import { runCycles } from './fixtures/run-cycles.js'

test('handles that are garbage-collected give their descriptors back', async (t) => {
  const { address } = openQueue(t, 'posix')
  const child = startProgram(
    t,
    async ({ open }, { address }) => {
      const { readdirSync } = await import('node:fs')
      const { setImmediate } = await import('node:timers/promises')
      const descriptors = () => readdirSync('/proc/self/fd').length
      const before = descriptors()
      const useAndForget = async () => {
        const queue = open(address)
        // Polled, then idle: libuv has to let go of it, too.
        const waited = queue.receive()
        await queue.send('message')
        await waited
      }
      for (let i = 0; i < 50; i++) await useAndForget()
      const most = descriptors()
      for (let i = 0; i < 200 && descriptors() > before; i++) {
        globalThis.gc?.()
        await setImmediate()
      }
      console.log(JSON.stringify({ opened: most > before, left: descriptors() - before }))
    },
    { address },
    { flags: ['--expose-gc'] },
  )
  const { code, stdout, stderr } = await child.outcome
  t.equal(code, 0, stderr)
  t.strictSame(JSON.parse(stdout), { opened: true, left: 0 })
})

test('what a stream with ack has handed over keeps nothing once it is garbage', async (t) => {
  const child = startProgram(
    t,
    async ({ open }) => {
      const { setImmediate } = await import('node:timers/promises')
      const useAndForget = async (over: 'stop' | 'unlink') => {
        const queue = open({ private: true })
        queue.trySend('never acknowledged')
        const readable = queue.readable({ ack: true })
        readable.on('error', () => {})
        await new Promise((resolve) => readable.once('data', resolve))
        const closed = new Promise((resolve) => readable.once('close', resolve))
        if (over === 'stop') readable.stop()
        queue.unlink()
        await closed
        await queue.close()
        return new WeakRef((queue as unknown as { channel: object }).channel)
      }
      const channels: WeakRef<object>[] = []
      for (let i = 0; i < 10; i++) {
        channels.push(await useAndForget('stop'), await useAndForget('unlink'))
      }
      const left = () => channels.filter((channel) => channel.deref()).length
      for (let i = 0; i < 200 && left() > 0; i++) {
        // What a WeakRef gave stays for the turn.
        await setImmediate()
        globalThis.gc?.()
      }
      console.log(left())
    },
    {},
    { flags: ['--expose-gc'] },
  )
  const { code, stdout, stderr } = await child.outcome
  t.equal(code, 0, stderr)
  t.equal(stdout, '0\n')
})

for (const kind of kinds) {
  test(`${kind}: a handle that waits is no garbage`, async (t) => {
    const { address } = openQueue(t, kind)
    const child = startProgram(
      t,
      async ({ open }, { address }) => {
        const { setImmediate } = await import('node:timers/promises')
        const other = open(address)
        open(address)
          .receive()
          .then(({ data }) => console.log(String(data)))
        for (let i = 0; i < 20; i++) {
          globalThis.gc?.()
          await setImmediate()
        }
        await other.send('it is still there')
        await other.close()
      },
      { address },
      { flags: ['--expose-gc'] },
    )
    const { code, stdout, stderr } = await child.outcome
    t.equal(code, 0, stderr)
    t.equal(stdout, 'it is still there\n')
  })

  for (const what of ['handles', 'streams'] as const) {
    test(`${kind}: ${what} that come and go leave nothing behind`, async (t) => {
      const { code, stderr, report } = await runCycles(t, kind, what, 300)
      t.equal(code, 0, stderr)
      t.equal(report?.descriptors, 0, 'descriptors')
      t.equal(report?.threads, 0, 'threads')
      t.ok(report && report.rss < 20 * 1024 * 1024, `memory: ${report?.rss} bytes more`)
    })
  }
}

test('a type for each request gathers nothing', async (t) => {
  const { address } = openQueue(t, 'sysv')
  const child = startProgram(
    t,
    async ({ open }, { address }) => {
      const queue = open(address)
      const held = () => {
        globalThis.gc?.()
        return process.memoryUsage().heapUsed
      }
      const ask = (types: number) => {
        for (let type = 1; type <= types; type++) queue.tryReceive({ type })
      }
      ask(1000)
      const before = held()
      ask(50_000)
      console.log(held() - before)
    },
    { address },
    { flags: ['--expose-gc'] },
  )
  const { code, stdout, stderr } = await child.outcome
  t.equal(code, 0, stderr)
  t.ok(Number(stdout) < 1_000_000, `${stdout.trim()} bytes more`)
})
