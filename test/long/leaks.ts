/**
 * The long form of the cycles in test/gc.test.ts: handles opened and closed, streams created and
 * destroyed, and what has grown by it.
 *
 *   npm run test:leaks -- --cycles 10000
 */
import { parseArgs } from 'node:util'
import { kinds } from '../fixtures/queues.js'
import { runCycles } from '../fixtures/run-cycles.js'
import { Owner } from './owner.js'

const LIMIT_BYTES = 5 * 1024 * 1024

const { values } = parseArgs({ options: { cycles: { type: 'string', default: '10000' } } })
const owner = new Owner()
for (const kind of kinds) {
  for (const what of ['handles', 'streams'] as const) {
    const { report, stderr } = await runCycles(owner, kind, what, Number(values.cycles))
    await owner.release()
    const ok =
      report && report.descriptors === 0 && report.threads === 0 && report.rss < LIMIT_BYTES
    if (!ok) process.exitCode = 1
    console.log(
      report
        ? `${kind.padEnd(5)} ${what} × ${values.cycles}: ${report.descriptors} descriptors, ` +
            `${report.threads} threads, ${(report.rss / 2 ** 20).toFixed(2)} MiB more`
        : stderr,
    )
  }
}
console.log(process.exitCode ? 'something grew' : 'nothing grew')
