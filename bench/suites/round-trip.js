/** There and back between two processes, one message at a time. */
import { measureRoundTrip } from '../harness/measure.js'
import { KINDS, others, roundTripsOverQueue } from './contestants.js'

export const SUITE = 'round trip'

/** So that the 99th percentile rests on a hundred samples, or ten in the quick form. */
const TRIPS = { full: 10_000, quick: 1000 }

/** @param {import('../run.js').Form} form @returns {import('../harness/plan.js').Block[]} */
export function plan({ quick, rounds, warmUp }) {
  const contestants = [...KINDS.flatMap(roundTripsOverQueue), ...(quick ? [] : others())]
  const sizes = quick ? [64] : [64, 1024, 8192]
  return sizes.map((size) => ({
    suite: SUITE,
    limits: /** @type {const} */ ('default'),
    size,
    rounds,
    cases: contestants.map((contestant) => ({
      name: contestant.name,
      kind: contestant.kind,
      measure: () =>
        measureRoundTrip(contestant, {
          size,
          limits: 'default',
          warmUp,
          count: quick ? TRIPS.quick : TRIPS.full,
        }),
    })),
  }))
}
