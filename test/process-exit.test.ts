/** A process that waits on a queue ends like any other. `npm run test:exit` is the long form. */
import { test } from 'tap'
import { exitCases, runExitCase } from './fixtures/exit-cases.js'

for (const exitCase of exitCases) {
  const { kind, waiting, manner, code } = exitCase
  test(`${kind}: ${manner} ends a process with a ${waiting} pending`, async (t) => {
    const exit = await runExitCase(t, exitCase)
    t.equal(exit.signal, null, exit.stderr)
    t.equal(exit.code, code, exit.stderr)
    t.match(exit.stdout, /^\d+(\.\d+)?\n$/, 'it got to its end')
    if (manner === 'an uncaught throw') t.match(exit.stderr, /Error: not caught/)
    else t.equal(exit.stderr, '')
  })
}
