/**
 * `npm run torture`: separate processes, both kinds of queue, checksums, every message accounted for.
 * Prints a table; exits 1 if anything is lost, repeated, damaged or out of order beyond what is
 * promised.
 *
 *   npm run torture                         the short form
 *   npm run torture -- --long               ten million messages a kind
 *   npm run torture -- --only ack-killed --kind sysv --messages 1000000
 */
import { parseArgs } from 'node:util'
import { Stage } from './processes.js'
import { scenarios, sizes } from './scenarios.js'

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    kind: { type: 'string', multiple: true, default: ['sysv', 'posix'] },
    messages: { type: 'string' },
    kills: { type: 'string' },
    cycles: { type: 'string' },
  },
})

const size = { ...sizes[values.long ? 'long' : 'short'] }
for (const name of ['messages', 'kills', 'cycles']) {
  if (values[name] !== undefined) size[name] = Number(values[name])
}
if (values.messages !== undefined) size.ackMessages = size.messages

const COUNTED = ['lost', 'repeated', 'corrupt', 'unordered', 'unconfirmed']
const WIDTHS = [18, 6, 11, 9, 10, 7, 12, 12, 9, 11, 13]
const row = (cells) =>
  cells.map((cell, i) => String(cell)[i < 2 ? 'padEnd' : 'padStart'](WIDTHS[i])).join('')

/** Runs a scenario; whether it kept its promises. */
async function run(name, kind) {
  const stage = new Stage(kind)
  const clear = () => stage.clear()
  process.once('exit', clear)
  const hung = setTimeout(() => {
    console.log(`${name} ${kind}: not done after ${size.seconds} s`)
    process.exit(1)
  }, size.seconds * 1000)
  const started = performance.now()
  const { bounds = {}, note = '' } = await scenarios[name].run(stage, size)
  const seconds = (performance.now() - started) / 1000
  clearTimeout(hung)
  const sums = stage.settle()
  process.removeListener('exit', clear)
  stage.clear()
  const counts = COUNTED.map((each) => [sums[each], bounds[each] ?? 0])
  const kept = counts.every(([count, bound]) => count <= bound) && sums.received > 0
  const shown = counts.map(([count, bound]) =>
    bound > 0 && bound < Infinity ? `${count}≤${bound}` : count,
  )
  const rate = Math.round(sums.received / seconds)
  console.log(
    row([name, kind, sums.received, seconds.toFixed(1), rate, stage.kills, ...shown]),
    kept ? ' ok' : ' VIOLATED',
    note,
  )
  return kept
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
console.log(row(['scenario', 'kind', 'received', 'seconds', 'msg/s', 'kills', ...COUNTED]))
let kept = true
for (const name of values.only ?? Object.keys(scenarios)) {
  for (const kind of values.kind) {
    if (scenarios[name].kinds?.includes(kind) === false) continue
    kept = (await run(name, kind)) && kept
  }
}
process.exitCode = kept ? 0 : 1
