import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { open, type PosixStats, unlink } from 'kernelmq'
import t, { type Test } from 'tap'
import { ended, printed, startKmq } from '../fixtures/kmq.js'
import { removeAfter } from '../fixtures/queues.js'
import { until } from '../fixtures/streams.js'

const run = promisify(execFile)

const kmq = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

function demo(file: string) {
  return run(process.execPath, [kmq, 'demo', '--lines', '500', file])
}

t.test(
  'a log passes through both kinds whole, and on the POSIX queue errors overtake',
  async (t) => {
    const folder = t.testdir({
      log: ['debug: a', 'info: b', 'warning: c', 'error: d'].map((line) => `${line}\n`).join(''),
    })
    const { stdout } = await demo(`${folder}/log`)
    t.match(stdout, 'sent     1 2 3 4\n    received 4 3 2 1   urgent lines overtake')
    t.match(stdout, 'received 1 2 3 4   in the order sent')
    t.match(stdout, 'Nothing was lost')
    t.notMatch(stdout, 'DIFFERS')
  },
)

t.test('a line longer than a message arrives in pieces', async (t) => {
  const folder = t.testdir({ log: `${'x'.repeat(10_000)}\n\nlast line without a newline` })
  const { stdout } = await demo(`${folder}/log`)
  t.match(stdout, 'log: 5 lines, 10 KB')
  t.match(stdout, 'Nothing was lost')
})

t.test('a file that is not there fails', async (t) => {
  await t.rejects(demo('/does/not/exist'), {
    code: 1,
    stderr: 'kmq: /does/not/exist is no file\n',
  })
})

t.test('an empty file fails', async (t) => {
  const folder = t.testdir({ log: '' })
  await t.rejects(demo(`${folder}/log`), { code: 1, stderr: /there is nothing to send/ })
})

t.test('it ends when nobody reads what it prints', async (t) => {
  const child = startKmq(t, ['demo', '--lines', '100', import.meta.filename])
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  t.equal(code, 141)
})

/** A demo in the middle of a transfer through its POSIX queue, and how it will have ended. */
async function transferring(t: Test) {
  const child = startKmq(t, ['demo', '--lines', '10000000', import.meta.filename])
  const address = `/kernelmq-demo-${child.pid}`
  removeAfter(t, address)
  // The receiving process has the same standard output, so this also waits for its end.
  const result = ended(child)
  await printed(child.stdout, 'frames as a stream')
  await using queue = open(address, { access: 'read' })
  const { maxMessages } = queue.stats() as PosixStats
  // It is filled until the other process takes from it.
  await until(() => queue.stats().messages === maxMessages)
  await until(() => queue.stats().messages < maxMessages)
  return { child, address, result }
}

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  t.test(`${signal} ends both processes and removes the queue`, async (t) => {
    const { child, address, result } = await transferring(t)
    child.kill(signal)
    t.match(await result, { code, stderr: '' })
    t.throws(() => unlink(address), { code: 'ENOENT' })
  })
}

t.test('the receiving process ends when the other one is killed', async (t) => {
  const { child, result } = await transferring(t)
  child.kill('SIGKILL')
  t.match(await result, { signal: 'SIGKILL', stderr: '' })
})
