/**
 * Seconds for a log to go through a queue by `kmq send --pack` and `kmq recv`, against a fifo with `cat`,
 * and against two C programs that do no more than read, send, receive and write: to /dev/null, and into
 * a file, which is compared with the log then. `npm run bench:log [MiB] [rounds]`.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import { createQueues, removeAll, removeQueues } from './harness/addresses.js'
import { compile } from './harness/compile.js'
import { canRaise, longestMessage, posixShape, setLevel } from './harness/limits.js'
import { isSettled, runInNamespace } from './harness/namespace.js'
import { BENCH, BUILD } from './harness/paths.js'
import { median } from './harness/statistics.js'

const [mebibytes = 1024, rounds = 5] = process.argv.slice(2).map(Number)

/** @typedef {'nowhere' | 'file'} To */
/** @typedef {{ name: string, seconds: (to: To) => number }} Way */
/** @type {To[]} */
const destinations = ['nowhere', 'file']

if (isSettled()) await measure()
else process.exitCode = await runInNamespace()

async function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'kernelmq-bench-'))
  const log = join(folder, 'log')
  try {
    compile()
    for (let i = 0; i < mebibytes; i++) appendFileSync(log, someLines())
    run(`mkfifo ${folder}/fifo`)
    /** @type {Way[]} */
    const ways = [
      {
        name: 'fifo, cat',
        seconds: (to) => passing(log, 'cat', `cat ${folder}/fifo`, to, `> ${folder}/fifo`),
      },
      ...levels().flatMap((limits) =>
        /** @type {const} */ (['sysv', 'posix']).flatMap((kind) => [
          overQueue('C', kind, limits, log, throughC),
          overQueue('kmq', kind, limits, log, throughKmq),
        ]),
      ),
    ]
    /** By way and destination. @type {number[][][]} */
    const seconds = ways.map(() => destinations.map(() => []))
    for (let round = 0; round < rounds; round++) {
      for (const [i, way] of ways.entries()) {
        for (const [j, to] of destinations.entries()) seconds[i][j].push(way.seconds(to))
      }
    }
    print(ways, seconds)
  } finally {
    removeAll()
    rmSync(folder, { recursive: true })
  }
}

/** A MiB, in lines of 100 bytes or less. */
function someLines() {
  const text = randomBytes(768 * 1024).toString('base64')
  return text.replace(/.{99}./g, (line) => `${line.slice(0, 99)}\n`)
}

/** @returns {import('./harness/limits.js').Level[]} */
function levels() {
  return canRaise() ? ['default', 'raised'] : ['default']
}

/**
 * @param {string} program
 * @param {import('./harness/addresses.js').Kind} kind
 * @param {import('./harness/limits.js').Level} limits
 * @param {string} log
 * @param {(address: string, size: number) => [send: string, receive: string]} through
 * @returns {Way}
 */
function overQueue(program, kind, limits, log, through) {
  return {
    name: `${kind}, ${limits} limits, ${program}`,
    seconds: (to) => {
      setLevel(limits)
      const size = longestMessage(limits)
      const [address] = createQueues(kind, 1, posixShape(limits, size, 1))
      const taken = passing(log, ...through(address, size), to)
      removeQueues([address])
      return taken
    },
  }
}

/** @param {string} address @param {number} size @returns {[string, string]} */
function throughC(address, size) {
  return [`${BUILD}filter send ${size} ${address}`, `${BUILD}filter recv ${size} ${address}`]
}

/** @param {string} address @returns {[string, string]} */
function throughKmq(address) {
  const kmq = `${process.execPath} ${join(BENCH, '../dist/cli/main.js')}`
  return [`${kmq} send --pack --eof ${address}`, `${kmq} recv --eof ${address}`]
}

/**
 * How many seconds both take, from start to end.
 *
 * @param {string} log
 * @param {string} send
 * @param {string} receive
 * @param {To} to
 * @param {string} [into] where what is sent goes, if not into a queue
 */
function passing(log, send, receive, to, into = '') {
  const copy = `${log}.copy`
  rmSync(copy, { force: true })
  const start = performance.now()
  run(`${send} < ${log} ${into} & ${receive} > ${to === 'file' ? copy : '/dev/null'} && wait $!`)
  const taken = (performance.now() - start) / 1000
  if (to === 'file') run(`cmp ${copy} ${log}`)
  return taken
}

/** @param {string} command */
function run(command) {
  const { status } = spawnSync('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command}: ended with ${status}`)
}

/** @param {Way[]} ways @param {number[][][]} seconds */
function print(ways, seconds) {
  const table = new Table({
    head: ['', ...destinations.flatMap((to) => [`to ${to}: seconds`, 'least … most', '× fifo'])],
    style: { compact: true, head: [], border: [] },
  })
  for (const [i, { name }] of ways.entries()) {
    const figures = seconds[i].flatMap((each, j) => {
      const ratio = median(each.map((one, round) => one / seconds[0][j][round]))
      const range = `${Math.min(...each).toFixed(2)} … ${Math.max(...each).toFixed(2)}`
      return [median(each).toFixed(2), range, ratio.toFixed(2)]
    })
    table.push([name, ...figures])
  }
  console.log(`${mebibytes} MiB, ${rounds} rounds`)
  console.log(table.toString())
}
