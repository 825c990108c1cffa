/**
 * The long form of test/process-exit.test.ts: each way for a process to end while a call waits on a
 * queue, many times, with the time it takes; then workers terminated in full traffic.
 *
 *   npm run test:exit -- --times 100 --terminations 500
 */
import { parseArgs } from 'node:util'
import { exitCases, runExitCase } from '../fixtures/exit-cases.js'
import { runTraffic } from '../fixtures/run-traffic.js'
import { Owner } from './owner.js'

const LIMIT_MS = 500

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    terminations: { type: 'string', default: '500' },
  },
})
const times = Number(values.times)
const terminations = Number(values.terminations)
const owner = new Owner()
let failures = 0

for (const exitCase of exitCases) {
  const { kind, waiting, manner, code } = exitCase
  const took: number[] = []
  for (let i = 0; i < times; i++) {
    const exit = await runExitCase(owner, exitCase)
    await owner.release()
    took.push(exit.took)
    if (exit.code === code && exit.signal === null && exit.took <= LIMIT_MS) continue
    failures++
    console.error(`${manner} ended with ${exit.signal ?? exit.code} after ${exit.took} ms`)
    console.error(exit.stderr)
  }
  took.sort((a, b) => a - b)
  const ms = (at: number) => (took[Math.floor(at * (took.length - 1))] as number).toFixed(1)
  console.log(
    `${kind.padEnd(5)} ${waiting.padEnd(7)} pending, ${manner.padEnd(25)} × ${times}: ` +
      `code ${code}, median ${ms(0.5)} ms, longest ${ms(1)} ms`,
  )
}

const traffic = await runTraffic(owner, terminations)
await owner.release()
if (traffic.code !== 0 || traffic.signal !== null) {
  failures++
  console.error(traffic.stderr)
}
console.log(
  `worker.terminate() in full traffic × ${traffic.stdout.trim() || 0}: ` +
    `the process ended with ${traffic.signal ?? traffic.code}`,
)
console.log(failures === 0 ? 'all as expected' : `${failures} failure(s)`)
process.exitCode = failures === 0 ? 0 : 1
