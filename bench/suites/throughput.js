/** Messages one way: everyone against everyone, by size. */
import { canRaise } from '../harness/limits.js'
import { measureOneWay } from '../harness/measure.js'
import { KINDS, others, overQueue } from './contestants.js'

export const SUITE = 'throughput'

/** @param {import('../run.js').Form} form @returns {import('../harness/plan.js').Block[]} */
export function plan({ quick, rounds, warmUp, seconds }) {
  const ours = KINDS.flatMap((kind) => overQueue(kind, quick))
  /** @param {import('../harness/limits.js').Level} limits @param {number} size @param {import('../harness/link.js').Contestant[]} contestants */
  const block = (limits, size, contestants) => ({
    suite: SUITE,
    limits,
    size,
    rounds,
    cases: contestants.map((contestant) => ({
      name: contestant.name,
      kind: contestant.kind,
      measure: () => measureOneWay(contestant, { size, limits, warmUp, seconds }),
    })),
  })
  if (quick) return [block('default', 64, [...ours, ...others()])]
  const sizes = [64, 1024, 8192]
  return [
    ...sizes.map((size) => block('default', size, [...ours, ...others()])),
    // Limits concern queues alone; the others would only be measured again.
    ...(canRaise() ? sizes.map((size) => block('raised', size, ours)) : []),
  ]
}
