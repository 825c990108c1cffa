/** `npm run bench`: measures, prints, and writes down. See README.md. */
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { removeAll } from './harness/addresses.js'
import { compile } from './harness/compile.js'
import { linkLibrary } from './harness/library.js'
import { setLevel } from './harness/limits.js'
import { isPrivate, isSettled, runInNamespace } from './harness/namespace.js'
import { BENCH, BUILD } from './harness/paths.js'
import { countSteps, runBlock, select } from './harness/plan.js'
import { killAll } from './harness/process.js'
import { hasFailed } from './harness/results.js'
import { describeEnvironment, machineLine } from './report/environment.js'
import { writeChart, writeResults } from './report/files.js'
import { startProgress } from './report/progress.js'
import { blockTable, targetsTable } from './report/table.js'
import { judge } from './report/targets.js'
import * as bytes from './suites/bytes.js'
import { mayFail } from './suites/contestants.js'
import * as importTime from './suites/import-time.js'
import * as manyQueues from './suites/many-queues.js'
import * as roundTrip from './suites/round-trip.js'
import * as throughput from './suites/throughput.js'

/**
 * @typedef {object} Form
 * @property {boolean} quick
 * @property {number} rounds
 * @property {number} warmUp  seconds before each measurement
 * @property {number} seconds  that one throughput measurement takes, about
 * @property {number} budgetMs  once it is spent, each block makes do with one round
 */

const USAGE = `node run.js [--quick] [--only REGEXP] [--rounds N]

  --quick        the main scenarios in about half a minute; writes build/quick-results.json
  --only REGEXP  only the cases whose line of progress matches; writes build/partial-results.json
  --rounds N     in place of 5 (quick: 2)`

const PACKAGES = ['kernelmq', 'zeromq', 'svmq', 'posix-mq']

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) console.log(USAGE)
else if (isSettled()) await main()
else process.exitCode = await runInNamespace()

async function main() {
  const form = formOf(options)
  // The import first: it is the one that needs all its rounds, also when the quick form runs late.
  const suites = [importTime, throughput, roundTrip, bytes, manyQueues]
  const plan = select(
    suites.flatMap((suite) => suite.plan(form)),
    options.only === undefined ? undefined : new RegExp(options.only),
  )
  if (plan.length === 0) throw new Error(`--only ${options.only} matches no case`)
  compile()
  linkLibrary()
  const environment = describeEnvironment(PACKAGES)
  if (!isPrivate())
    console.error('No private IPC namespace to be had: raised limits are not measured.')

  const progress = startProgress(countSteps(plan))
  const cleanUp = () => {
    progress.stop()
    killAll()
    removeAll()
    setLevel('default')
  }
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, () => {
      cleanUp()
      process.exit(128 + constants.signals[signal])
    })
  }

  const deadline = Date.now() + form.budgetMs
  /** @type {import('./harness/plan.js').Result[][]} */
  const blocks = []
  try {
    for (const block of plan)
      blocks.push(await runBlock(block, { onStep: progress.step, deadline }))
  } finally {
    cleanUp()
  }
  report(blocks, environment)
  // So that CI sees when the benchmark itself, or the library, is broken; others may be.
  if (blocks.flat().some((result) => !mayFail(result) && hasFailed(result))) process.exitCode = 1
}

/** @param {{ quick: boolean, rounds?: string }} options @returns {Form} */
function formOf({ quick, rounds }) {
  const form = quick
    ? { quick, rounds: 2, warmUp: 0, seconds: 0.15, budgetMs: 30_000 }
    : { quick, rounds: 5, warmUp: 1.2, seconds: 0.4, budgetMs: Infinity }
  if (rounds === undefined) return form
  if (!/^[1-9]\d*$/.test(rounds)) throw new TypeError(`--rounds takes a number, not '${rounds}'`)
  return { ...form, rounds: Number(rounds) }
}

/**
 * @param {readonly import('./harness/plan.js').Result[][]} blocks
 * @param {import('./report/environment.js').Environment} environment
 */
function report(blocks, environment) {
  const results = blocks.flat()
  // A selection of cases is asked about those alone.
  const targets = judge(results).filter(
    ({ measured }) => options.only === undefined || measured !== null,
  )
  console.log(`${machineLine(environment)}\n`)
  for (const block of blocks) console.log(`${blockTable(block)}\n`)
  if (targets.length > 0) console.log(targetsTable(targets))

  const prefix =
    options.only !== undefined ? `${BUILD}partial-` : options.quick ? `${BUILD}quick-` : BENCH
  writeResults(`${prefix}results.json`, { environment, targets, results })
  const charted = blocks.find(
    ([{ suite, limits, size }]) =>
      suite === throughput.SUITE && limits === 'default' && size === 64,
  )
  if (charted) writeChart(`${prefix}throughput.svg`, charted, environment)
}
