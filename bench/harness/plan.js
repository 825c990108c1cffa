/**
 * A plan is a list of blocks; the cases of a block are compared with each other
 * and therefore interleaved: A B C, A B C, … so that a busy moment of the
 * machine hits all of them, not one.
 */
import { setLevel } from './limits.js'
import { BENCH } from './paths.js'

/** @typedef {Record<string, number>} Sample */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {import('./addresses.js').Kind | null} kind
 * @property {() => Promise<Sample>} measure
 */

/**
 * @typedef {object} Block
 * @property {string} suite
 * @property {import('./limits.js').Level} limits
 * @property {number | null} size  bytes of a message or write
 * @property {number} rounds
 * @property {Case[]} cases
 */

/**
 * @typedef {object} Result
 * @property {string} suite
 * @property {import('./limits.js').Level} limits
 * @property {number | null} size
 * @property {import('./addresses.js').Kind | null} kind
 * @property {string} name
 * @property {(Sample | null)[]} rounds  null: that round failed
 * @property {string[]} failures  each reason once
 */

/** What fails this often is left out of the rest: it would only cost time. */
const FAILURES_ENOUGH = 2

/**
 * @param {readonly Block[]} plan
 * @param {RegExp | undefined} only
 */
export function select(plan, only) {
  if (!only) return plan
  return plan
    .map((block) => ({
      ...block,
      cases: block.cases.filter((each) => only.test(describe(block, each))),
    }))
    .filter((block) => block.cases.length > 0)
}

/** @param {readonly Block[]} plan */
export const countSteps = (plan) =>
  plan.reduce((sum, { cases, rounds }) => sum + cases.length * rounds, 0)

/** @param {Pick<Block, 'suite' | 'limits' | 'size'>} block @param {Pick<Case, 'kind' | 'name'>} each */
export const describe = ({ suite, limits, size }, { kind, name }) =>
  [suite, `${limits} limits`, size === null ? '' : `${size} B`, kind ?? '', name]
    .filter(Boolean)
    .join(' · ')

/**
 * @param {Block} block
 * @param {object} how
 * @param {(what: string) => void} how.onStep
 * @param {number} how.deadline  a time after which no further round of the block is begun; the first always is
 * @returns {Promise<Result[]>}
 */
export async function runBlock({ suite, limits, size, rounds, cases }, { onStep, deadline }) {
  setLevel(limits)
  /** @type {Result[]} */
  const results = cases.map(({ kind, name }) => ({
    suite,
    limits,
    size,
    kind,
    name,
    rounds: [],
    failures: [],
  }))
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && Date.now() > deadline) break
    for (const [i, each] of cases.entries()) {
      onStep(`${describe({ suite, limits, size }, each)}, round ${round + 1} of ${rounds}`)
      const result = results[i]
      result.rounds.push(await attempt(each, result))
    }
  }
  return results
}

/** @param {Case} each @param {Result} result */
async function attempt(each, { rounds, failures }) {
  if (rounds.filter((round) => round === null).length >= FAILURES_ENOUGH) return null
  try {
    return await each.measure()
  } catch (error) {
    const reason = reasonOf(error)
    if (!failures.includes(reason)) failures.push(reason)
    return null
  }
}

/** In one line, and without the paths of this machine: it is published with the results. @param {unknown} error */
function reasonOf(error) {
  const message = error instanceof Error ? error.message : String(error)
  return message.replaceAll(BENCH, '').replace(/\s*\n\s*/g, ' ')
}
