/** What the library promises itself, judged by one run's results. */
import { canRaise } from '../harness/limits.js'
import { figure, find, ratio } from '../harness/results.js'
import { BULK, SMALL } from '../suites/bytes.js'
import { byteName, KINDS, NAMES, socketName } from '../suites/contestants.js'
import { EMPTY, IMPORT, SUITE as IMPORT_TIME } from '../suites/import-time.js'
import {
  IDLE_SUITE,
  limitsOf,
  SUITE as MANY_QUEUES,
  nameOf,
  queuesOf,
} from '../suites/many-queues.js'
import { SUITE as ROUND_TRIP } from '../suites/round-trip.js'
import { SUITE as THROUGHPUT } from '../suites/throughput.js'

/** @typedef {import('../harness/plan.js').Result} Result */
/** @typedef {import('../harness/limits.js').Level} Level */
/** @typedef {import('../harness/addresses.js').Kind} Kind */
/** @typedef {{ kind: Kind | null, name: string }} Who */

/**
 * @typedef {object} Target
 * @property {string} target
 * @property {'≥' | '≤'} relation
 * @property {number} wanted
 * @property {string} [unit]
 * @property {Level} [judgedAt]  the limits at which it is judged; default ones if absent
 * @property {(results: readonly Result[], limits: Level) => number | undefined} measure
 */

/** @param {string} suite @param {number} size @param {string} metric @param {Who} one @param {Who} other @returns {Target['measure']} */
const sideBySide = (suite, size, metric, one, other) => (results, limits) =>
  ratio(
    find(results, { suite, limits, size, ...one }),
    find(results, { suite, limits, size, ...other }),
    metric,
  )

/** @param {Who} one @param {Who} other */
const rate = (one, other, metric = 'messagesPerSecond') =>
  sideBySide(THROUGHPUT, 64, metric, one, other)

/** @param {Kind} kind @returns {Target[]} */
function ofThroughput(kind) {
  const c = { kind, name: NAMES.c }
  const write = { kind, name: NAMES.write }
  return [
    {
      target: `${kind}: write → data, against plain C`,
      relation: '≥',
      wanted: 0.9,
      measure: rate(write, c),
    },
    {
      target: `${kind}: pipeline → pipeline, against plain C`,
      relation: '≥',
      wanted: 0.9,
      measure: rate({ kind, name: NAMES.pipeline }, c),
    },
    {
      target: `${kind}: for await, against plain C`,
      relation: '≥',
      wanted: 0.75,
      measure: rate({ kind, name: NAMES.forAwait }, c),
    },
    ...[NAMES.zeromq, NAMES.sendJson, NAMES.sendAdvanced].map((name) => ({
      target: `${kind}: write → data, against ${name}`,
      relation: /** @type {const} */ ('≥'),
      wanted: 2,
      measure: rate(write, { kind: null, name }),
    })),
    {
      target: `${kind}: highWaterMark 1, against the default`,
      relation: '≥',
      wanted: 0.5,
      measure: rate({ kind, name: NAMES.hwm1 }, write),
    },
    {
      target: `${kind}: CPU per message, both sides, against plain C`,
      relation: '≤',
      wanted: 1.5,
      measure: rate(write, c, 'cpuUs'),
    },
  ]
}

/** @param {Kind} kind @returns {Target[]} */
function ofRoundTrips(kind) {
  const wanted = { posix: { p50: 1.1, p99: 2 }, sysv: { p50: 1.5, p99: 2 } }[kind]
  /** @param {string} metric @returns {Target['measure']} */
  const trips = (metric) =>
    sideBySide(ROUND_TRIP, 64, metric, { kind, name: NAMES.streams }, { kind, name: NAMES.c })
  return [
    {
      target: `${kind}: round trip p50, against plain C`,
      relation: '≤',
      wanted: wanted.p50,
      measure: trips('p50Us'),
    },
    {
      target: `${kind}: round trip p99, against plain C`,
      relation: '≤',
      wanted: wanted.p99,
      measure: trips('p99Us'),
    },
  ]
}

/** @param {Kind} kind @returns {Target} */
const ofSmallWrites = (kind) => ({
  target: `${kind}: byte mode, 64-byte writes, against the corked unix socket`,
  relation: '≥',
  wanted: 1,
  measure: sideBySide(
    SMALL,
    64,
    'messagesPerSecond',
    { kind, name: byteName('framed, corked') },
    { kind: null, name: socketName('framed, corked') },
  ),
})

/** @param {string} target @param {number} wanted @param {Kind} kind @param {Who} other @returns {Target} */
const ofBulk = (target, wanted, kind, other) => ({
  target: `${kind}: 1 GiB in 64 KiB writes, against ${target}`,
  relation: '≥',
  wanted,
  judgedAt: canRaise() ? 'raised' : 'default',
  measure: sideBySide(BULK, 64 * 1024, 'bytesPerSecond', { kind, name: byteName('raw') }, other),
})

/** @param {Kind} kind @returns {Target[]} */
function ofManyQueues(kind) {
  const queues = queuesOf(kind)
  const judgedAt = limitsOf(kind)
  /** @param {string} metric @returns {Target['measure']} */
  const idle = (metric) => (results, limits) => {
    const result = find(results, { suite: IDLE_SUITE, limits, kind })
    return result && figure(result, metric)
  }
  return [
    {
      target: `${kind}: ${queues} queues read at once, against one`,
      relation: '≥',
      wanted: 0.7,
      judgedAt,
      measure: sideBySide(
        MANY_QUEUES,
        64,
        'messagesPerSecond',
        { kind, name: nameOf(queues) },
        { kind, name: nameOf(1) },
      ),
    },
    {
      target: `${kind}: RSS per idle reader`,
      relation: '≤',
      wanted: 64,
      unit: ' KiB',
      judgedAt,
      measure: idle('rssKiBPerReader'),
    },
    {
      target: `${kind}: CPU of ${queues} idle readers`,
      relation: '≤',
      wanted: 0.5,
      unit: ' %',
      judgedAt,
      measure: idle('idleCpuPercent'),
    },
    {
      target: `${kind}: opening ${queues} queues`,
      relation: '≤',
      wanted: 1000,
      unit: ' ms',
      judgedAt,
      measure: idle('openMs'),
    },
  ]
}

/** @type {Target} */
const ofImport = {
  target: "import 'kernelmq', over an empty script",
  relation: '≤',
  wanted: 10,
  unit: ' ms',
  measure: (results, limits) => {
    const [empty, loaded] = [EMPTY, IMPORT].map((name) =>
      find(results, { suite: IMPORT_TIME, limits, name }),
    )
    const [without, with_] = [empty && figure(empty, 'ms'), loaded && figure(loaded, 'ms')]
    return without === undefined || with_ === undefined ? undefined : with_ - without
  },
}

/** Computed only when asked for, since how many queues there are depends on the namespace. @returns {Target[]} */
const targets = () => [
  ...KINDS.flatMap(ofThroughput),
  {
    target: 'sysv: write → data, against svmq',
    relation: '≥',
    wanted: 40,
    measure: rate({ kind: 'sysv', name: NAMES.write }, { kind: 'sysv', name: NAMES.svmq }),
  },
  ...KINDS.map(ofSmallWrites),
  ofBulk('a unix socket stream', 0.8, 'posix', { kind: null, name: socketName('raw') }),
  ofBulk('plain C', 0.9, 'posix', { kind: 'posix', name: NAMES.c }),
  ofBulk('plain C', 0.9, 'sysv', { kind: 'sysv', name: NAMES.c }),
  ...KINDS.flatMap(ofRoundTrips),
  ...KINDS.flatMap(ofManyQueues),
  ofImport,
]

/** @param {readonly Result[]} results */
export function judge(results) {
  return targets().map(
    ({ target, relation, wanted, unit = ' ×', judgedAt = 'default', measure }) => {
      const measured = measure(results, judgedAt) ?? null
      const met =
        measured === null ? null : relation === '≥' ? measured >= wanted : measured <= wanted
      const raised = (judgedAt === 'default' ? measure(results, 'raised') : null) ?? null
      return { target, relation, wanted, unit, limits: judgedAt, measured, met, raised }
    },
  )
}
