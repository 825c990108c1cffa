/** What a run leaves behind. */
import { writeFileSync } from 'node:fs'
import { hasFailed } from '../harness/results.js'
import { throughputChart } from './chart.js'

/** @param {string} file @param {object} content */
export function writeResults(file, content) {
  writeFileSync(file, `${JSON.stringify(content, roundOff, 1)}\n`)
}

/** A measurement has no more than five digits that mean something. @param {string} _key @param {unknown} value */
function roundOff(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(5))
    : value
}

/**
 * @param {string} file
 * @param {readonly import('../harness/plan.js').Result[]} results  of one block
 * @param {import('./environment.js').Environment} environment
 */
export function writeChart(file, results, environment) {
  const shown = results.filter((result) => !hasFailed(result))
  if (shown.length > 0) writeFileSync(file, throughputChart(shown, environment))
}
