/**
 * Seconds for a log to go through a queue by `kmq send --pack` and `kmq recv`, against a fifo with `cat`,
 * and against two C programs that do no more than read, send, receive and write. `npm run bench:log
 * [MiB] [rounds]`.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import { createQueues, removeAll, removeQueues } from './harness/addresses.js'
import { compile } from './harness/compile.js'
import { canRaise, LARGEST_MESSAGE, posixShape, setLevel } from './harness/limits.js'
import { isSettled, runInNamespace } from './harness/namespace.js'
import { BENCH, BUILD } from './harness/paths.js'
import { median } from './harness/statistics.js'

const [mebibytes = 1024, rounds = 5] = process.argv.slice(2).map(Number)
/** What a queue takes in one message at default limits. */
const DEFAULT_MESSAGE = 8192

if (isSettled()) await measure()
else process.exitCode = await runInNamespace()

async function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'kernelmq-bench-'))
  const log = join(folder, 'log')
  try {
    compile()
    for (let i = 0; i < mebibytes; i++) appendFileSync(log, someLines())
    run(`mkfifo ${folder}/fifo`)
    const ways = [
      {
        name: 'fifo, cat',
        seconds: () => passing(`cat ${log} > ${folder}/fifo`, `cat ${folder}/fifo`),
      },
      ...levels().flatMap((limits) =>
        /** @type {const} */ (['sysv', 'posix']).flatMap((kind) => [
          overQueue('C', kind, limits, log, throughC),
          overQueue('kmq', kind, limits, log, throughKmq),
        ]),
      ),
    ]
    /** @type {number[][]} */
    const seconds = ways.map(() => [])
    for (let round = 0; round < rounds; round++) {
      for (const [i, way] of ways.entries()) seconds[i].push(way.seconds())
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
 */
function overQueue(program, kind, limits, log, through) {
  return {
    name: `${kind}, ${limits} limits, ${program}`,
    seconds: () => {
      setLevel(limits)
      const size = limits === 'raised' ? LARGEST_MESSAGE : DEFAULT_MESSAGE
      const [address] = createQueues(kind, 1, posixShape(limits, size, 1))
      const [send, receive] = through(address, size)
      const taken = passing(`${send} < ${log}`, receive)
      run(`${send} < ${log} & ${receive} | cmp - ${log}`)
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

/** How many seconds both take. @param {string} send @param {string} receive */
function passing(send, receive) {
  const start = performance.now()
  run(`${send} & ${receive} > /dev/null && wait $!`)
  return (performance.now() - start) / 1000
}

/** @param {string} command */
function run(command) {
  const { status } = spawnSync('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command}: ended with ${status}`)
}

/** @param {{ name: string }[]} ways @param {number[][]} seconds */
function print(ways, seconds) {
  const fifo = seconds[0]
  const table = new Table({
    head: ['', 'seconds, median', 'least', 'most', '× fifo'],
    style: { compact: true, head: [], border: [] },
  })
  for (const [i, { name }] of ways.entries()) {
    const ratio = median(seconds[i].map((each, round) => each / fifo[round]))
    const figures = [median(seconds[i]), Math.min(...seconds[i]), Math.max(...seconds[i]), ratio]
    table.push([name, ...figures.map((figure) => figure.toFixed(2))])
  }
  console.log(`${mebibytes} MiB, ${rounds} rounds`)
  console.log(table.toString())
}
