import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

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
