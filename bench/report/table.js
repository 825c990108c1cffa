/** The tables for a terminal: one for each block that ran. */
import Table from 'cli-table3'
import { figure, find, ratio } from '../harness/results.js'
import { BULK, SMALL } from '../suites/bytes.js'
import { NAMES } from '../suites/contestants.js'
import { SUITE as IMPORT_TIME } from '../suites/import-time.js'
import { IDLE_SUITE, SUITE as MANY_QUEUES } from '../suites/many-queues.js'
import { SUITE as ROUND_TRIP } from '../suites/round-trip.js'
import { SUITE as THROUGHPUT } from '../suites/throughput.js'

/** @typedef {import('../harness/plan.js').Result} Result */
/** @typedef {[header: string, cell: (result: Result, block: readonly Result[]) => string]} Column */

/** @param {number | undefined} value @param {number} digits */
const fixed = (value, digits) =>
  value === undefined
    ? ''
    : value.toLocaleString('en-US', {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      })

/** @param {string} header @param {string} metric @param {number} digits @param {number} [unit] @returns {Column} */
const number = (header, metric, digits, unit = 1) => [
  header,
  (result) => {
    const value = figure(result, metric)
    return fixed(value === undefined ? undefined : value / unit, digits)
  },
]

/** Against plain C on a queue of the same kind. @param {string} metric @returns {Column} */
const againstC = (metric) => [
  '× plain C',
  (result, block) =>
    result.kind
      ? fixed(ratio(result, find(block, { kind: result.kind, name: NAMES.c }), metric), 2)
      : '',
]

/** No colours, which a file or a page would show as noise, and no line between rows. */
const PLAIN = {
  style: { head: [], border: [] },
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
}

const COSTS = [
  number('CPU µs, sender', 'senderCpuUs', 2),
  number('receiver', 'receiverCpuUs', 2),
  number('both', 'cpuUs', 2),
  number('peak RSS MiB, sender', 'senderPeakRssKiB', 1, 1024),
  number('receiver', 'receiverPeakRssKiB', 1, 1024),
]

/** @type {Record<string, Column[]>} */
const COLUMNS = {
  [THROUGHPUT]: [
    number('messages/s', 'messagesPerSecond', 0),
    againstC('messagesPerSecond'),
    ...COSTS,
  ],
  [ROUND_TRIP]: [number('p50 µs', 'p50Us', 1), number('p99 µs', 'p99Us', 1), againstC('p50Us')],
  [SMALL]: [number('writes/s', 'messagesPerSecond', 0), ...COSTS],
  [BULK]: [
    number('MB/s', 'bytesPerSecond', 0, 1e6),
    againstC('bytesPerSecond'),
    number('peak RSS MiB, receiver', 'receiverPeakRssKiB', 1, 1024),
  ],
  [MANY_QUEUES]: [number('messages/s', 'messagesPerSecond', 0), ...COSTS],
  [IDLE_SUITE]: [
    number('open all, ms', 'openMs', 1),
    number('RSS KiB per reader', 'rssKiBPerReader', 1),
    number('CPU % of the process', 'idleCpuPercent', 2),
  ],
  [IMPORT_TIME]: [number('start ms', 'ms', 1)],
}

/** @param {readonly Result[]} block  the results of one block */
export function blockTable(block) {
  const [{ suite, limits, size, rounds }] = block
  const columns = COLUMNS[suite]
  const table = new Table({
    head: ['', 'queue', ...columns.map(([header]) => header)],
    colAligns: ['left', 'left', ...columns.map(() => /** @type {const} */ ('right'))],
    ...PLAIN,
  })
  for (const result of block) {
    table.push([result.name, result.kind ?? '', ...columns.map(([, cell]) => cell(result, block))])
  }
  const title = [
    suite,
    `${limits} limits`,
    size === null ? '' : `${size} bytes`,
    `median of ${rounds.length}`,
  ]
  return [title.filter(Boolean).join(', '), table, ...block.flatMap(failureNote)].join('\n')
}

/** @param {Result} result */
function failureNote({ name, kind, rounds, failures }) {
  if (failures.length === 0) return []
  const missed = rounds.filter((round) => round === null).length
  return [
    `  ${kind ? `${kind} ` : ''}${name} failed in ${missed} of ${rounds.length} rounds: ${failures.join('; ')}`,
  ]
}

/** @param {ReturnType<typeof import('./targets.js').judge>} judged */
export function targetsTable(judged) {
  const table = new Table({
    head: ['target', 'wanted', 'measured', 'met', 'raised limits'],
    colAligns: ['left', 'right', 'right', 'left', 'right'],
    ...PLAIN,
  })
  for (const { target, relation, wanted, unit, measured, met, raised } of judged) {
    table.push([
      target,
      `${relation} ${wanted}${unit}`,
      measured === null ? 'not measured' : `${fixed(measured, 2)}${unit}`,
      met === null ? '' : met ? 'yes' : 'NO',
      raised === null ? '' : `${fixed(raised, 2)}${unit}`,
    ])
  }
  return `targets\n${table}`
}
