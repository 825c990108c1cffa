/** Figures from results: medians, and ratios between two that ran side by side. */
import { median } from './statistics.js'

/** @typedef {import('./plan.js').Result} Result */

/** In every round. @param {Result} result */
export const hasFailed = ({ rounds }) => rounds.every((round) => round === null)

/** @param {Result} result @param {string} metric @returns {number | undefined} undefined if it never succeeded, or has no such figure */
export function figure({ rounds }, metric) {
  const values = rounds.map((round) => round?.[metric]).filter((value) => value !== undefined)
  return values.length > 0 ? median(/** @type {number[]} */ (values)) : undefined
}

/**
 * The median of the rounds' ratios, not the ratio of the medians: both of a
 * round met the same moment of the machine.
 *
 * @param {Result | undefined} one
 * @param {Result | undefined} other
 * @param {string} metric
 * @returns {number | undefined}
 */
export function ratio(one, other, metric) {
  const ratios = (one?.rounds ?? []).flatMap((round, i) => {
    const [a, b] = [round?.[metric], other?.rounds[i]?.[metric]]
    return a === undefined || b === undefined ? [] : [a / b]
  })
  return ratios.length > 0 ? median(ratios) : undefined
}

/**
 * @param {readonly Result[]} results
 * @param {Partial<Pick<Result, 'suite' | 'limits' | 'size' | 'kind' | 'name'>>} which
 */
export const find = (results, which) =>
  results.find((result) =>
    Object.entries(which).every(
      ([key, value]) => result[/** @type {keyof Result} */ (key)] === value,
    ),
  )
