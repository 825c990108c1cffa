/** @param {readonly number[]} values */
export const median = (values) => percentile(values, 0.5)

/**
 * With interpolation between the two nearest ranks.
 *
 * @param {readonly number[]} values
 * @param {number} p  0 … 1
 */
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * p
  const below = sorted[Math.floor(at)]
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at))
}
