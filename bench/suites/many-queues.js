/** A thousand queues read at once by one process: throughput against one queue, and what an idle reader costs. */
import { spawnSync } from 'node:child_process'
import { createQueues, removeQueues } from '../harness/addresses.js'
import { canRaise } from '../harness/limits.js'
import { measureOneWay } from '../harness/measure.js'
import { BENCH } from '../harness/paths.js'
import { cToNode, KINDS } from './contestants.js'

export const SUITE = 'many queues'
export const IDLE_SUITE = 'idle readers'

const QUEUES = 1000
/** POSIX at default limits: queues_max is 256. */
const QUEUES_UNRAISED = 200
/** Of POSIX queues, so that a thousand fit RLIMIT_MSGQUEUE; one queue is measured in the same shape. */
const SHALLOW = { maxMessages: 3, maxMessageSize: 64 }
const SIZE = 64
const IDLE_TIMEOUT_MS = 60_000

/** @typedef {import('../harness/addresses.js').Kind} Kind */

/** The default ones of System V allow a thousand queues. @param {Kind} kind */
export const limitsOf = (kind) => (kind === 'posix' && canRaise() ? 'raised' : 'default')

/** @param {Kind} kind */
export const queuesOf = (kind) =>
  kind === 'posix' && limitsOf(kind) === 'default' ? QUEUES_UNRAISED : QUEUES

/** @param {number} queues */
export const nameOf = (queues) => (queues === 1 ? 'one queue' : `${queues} queues`)

/** @param {import('../run.js').Form} form @returns {import('../harness/plan.js').Block[]} */
export function plan({ quick, rounds, warmUp, seconds }) {
  return KINDS.flatMap((kind) => {
    const limits = limitsOf(kind)
    const cases = [1, queuesOf(kind)].map((queues) => ({
      name: nameOf(queues),
      kind,
      measure: () =>
        measureOneWay(cToNode(kind), {
          size: SIZE,
          limits,
          warmUp,
          seconds,
          queues,
          shape: SHALLOW,
        }),
    }))
    const idle = {
      name: nameOf(queuesOf(kind)),
      kind,
      measure: async () => idleReaders(kind),
    }
    return [
      { suite: SUITE, limits, size: SIZE, rounds, cases },
      // Watching idle processes takes seconds, and hardly scatters.
      { suite: IDLE_SUITE, limits, size: null, rounds: quick ? 1 : rounds, cases: [idle] },
    ]
  })
}

/** @param {Kind} kind */
function idleReaders(kind) {
  const addresses = createQueues(kind, queuesOf(kind), SHALLOW)
  try {
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      [`${BENCH}suites/idle-readers.js`, ...addresses],
      {
        encoding: 'utf8',
        timeout: IDLE_TIMEOUT_MS,
        killSignal: 'SIGKILL',
      },
    )
    if (status !== 0)
      throw new Error(`${signal ?? `exit code ${status}`}: ${stderr.trim().slice(-400)}`)
    return JSON.parse(stdout)
  } finally {
    removeQueues(addresses)
  }
}
