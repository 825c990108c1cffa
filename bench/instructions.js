/**
 * How many instructions of user space a message costs, from write() to 'data', counted by callgrind:
 * repeatable where seconds are not, so it guards against regressions. Two runs of different length; the
 * difference leaves out the start.
 *
 *   node bench/instructions.js            compares with bench/instructions.json, exit code 1 if above
 *   node bench/instructions.js --record   writes it
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { linkLibrary } from './harness/library.js'

const SHORT = 20_000
const LONG = 100_000
/** What compilers, Node versions and the optimizer's moods may add. */
const TOLERANCE = 1.15

const program = fileURLToPath(new URL('instructions-program.js', import.meta.url))
const recordPath = new URL('instructions.json', import.meta.url)

/** @param {number} messages */
function count(messages) {
  const valgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null']
  // One thread: when the optimizer's thread is done is a matter of chance.
  const node = [process.execPath, '--single-threaded', program, String(messages)]
  const { status, stderr, error } = spawnSync('valgrind', [...valgrind, ...node], {
    encoding: 'utf8',
  })
  const counted = /Collected : (\d+)/.exec(stderr ?? '')
  if (status !== 0 || !counted) throw new Error(`valgrind failed: ${error?.message ?? stderr}`)
  return Number(counted[1])
}

linkLibrary()
const perMessage = Math.round((count(LONG) - count(SHORT)) / (LONG - SHORT))
if (process.argv.includes('--record')) {
  writeFileSync(recordPath, `${JSON.stringify({ node: process.version, perMessage }, null, 2)}\n`)
  console.log(`recorded ${perMessage} instructions a message`)
} else {
  const recorded = JSON.parse(readFileSync(recordPath, 'utf8'))
  const limit = Math.round(recorded.perMessage * TOLERANCE)
  console.log(
    `${perMessage} instructions a message; recorded ${recorded.perMessage}, limit ${limit}`,
  )
  if (perMessage > limit) process.exitCode = 1
}
