/** The examples about logs, each as a process, with the real packages. */
import { execFile, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { MessageQueue } from 'kernelmq'
import t, { type Test } from 'tap'
import { cleanEnvironment, main, root } from '../fixtures/kmq.js'
import { drain, kinds, openQueue } from '../fixtures/queues.js'

const run = promisify(execFile)

function example(name: string, ...args: string[]) {
  return run(process.execPath, [`examples/${name}`, ...args], { cwd: root, env: cleanEnvironment })
}

function start(t: Test, program: string, args: string[], options: SpawnOptions = {}) {
  const child = spawn(program, args, { cwd: root, env: cleanEnvironment, ...options })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

for (const name of ['pino.js', 'winston.js']) {
  t.test(`${name} logs into a System V queue by level`, async (t) => {
    const queue = openQueue(t, 'sysv', { maxBytes: 16384 })
    await example(name, queue.address)
    const messages = drain(queue).map(([type, text]) => {
      const { msg, message } = JSON.parse(text)
      return [type, msg ?? message]
    })
    t.match(messages, [
      [name === 'pino.js' ? 20 : 15, 'cache warmed'],
      [30, 'listening'],
      [50, 'upstream failed'],
    ])
  })

  t.test(`${name} logs into a POSIX queue, errors first`, async (t) => {
    const queue = openQueue(t, 'posix', { maxMessageSize: 2048 })
    await example(name, queue.address)
    t.match(drain(queue)[0], [50, /upstream failed/])
  })
}

/** Waits until that many bytes are in the files of a folder. */
async function collected(folder: string, size: number): Promise<string> {
  for (;;) {
    const files = readdirSync(folder).filter((name) => name.endsWith('.log'))
    try {
      const text = files.map((name) => readFileSync(`${folder}/${name}`, 'utf8')).join('')
      if (text.length >= size) return text
    } catch (error) {
      // Rotated since it was listed: look again.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    await new Promise(setImmediate)
  }
}

async function sendLines(queue: MessageQueue, count: number): Promise<string> {
  const lines = Array.from({ length: count }, (_, i) => `line ${i} ${'x'.repeat(50)}`)
  for (const line of lines) await queue.send(line)
  return `${lines.join('\n')}\n`
}

for (const kind of kinds) {
  t.test(`collector.js writes what a ${kind} queue brings, and files rotate`, async (t) => {
    const queue = openQueue(t, kind)
    const folder = t.testdir()
    const args = ['examples/collector.js', queue.address, folder, '2K']
    const child = start(t, process.execPath, args)
    const closed = once(child, 'close')
    const text = await sendLines(queue, 100)
    const sorted = (lines: string) => lines.split('\n').sort()
    t.same(sorted(await collected(folder, text.length)), sorted(text))
    t.ok(readdirSync(folder).length > 1)
    child.kill('SIGTERM')
    t.same(await closed, [0, null])
    t.equal(queue.stats().messages, 0)
  })
}

t.test('collector.js says how it is called', async (t) => {
  await t.rejects(example('collector.js'), { code: 2, stderr: /usage/ })
})

const verify = await run('systemd-analyze', ['--version']).then(
  () => false as const,
  (error: Error) => `no systemd-analyze here: ${error.message}`,
)

t.test('systemd accepts the units', { skip: verify }, async (t) => {
  const units = ['kernelmq-logs.socket', 'kernelmq-logs.service'].map(
    (name) => `examples/systemd/${name}`,
  )
  const { stderr } = await run('systemd-analyze', ['verify', ...units], { cwd: root })
  t.notMatch(stderr, 'kernelmq')
})

t.test('the command of the service receives from the descriptor of the socket', async (t) => {
  const unit = readFileSync(`${root}examples/systemd/kernelmq-logs.service`, 'utf8')
  const [, command = ''] = /^ExecStart=\/usr\/bin\/env kmq (.+)$/m.exec(unit) ?? []
  const queue = openQueue(t, 'posix')
  queue.trySend('before the service')
  // As systemd does: the queue is descriptor 3.
  const child = start(t, process.execPath, [main, ...command.split(' ')], {
    stdio: ['ignore', 'pipe', 'inherit', queue.fd],
  })
  const closed = once(child, 'close')
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  t.equal(String(line), 'before the service\n')
  child.kill('SIGTERM')
  t.same(await closed, [0, null])
})
