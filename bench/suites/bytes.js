/** Byte mode against what it rivals, a Unix stream socket: small writes, and a bulk transfer. */
import { canRaise, longestMessage } from '../harness/limits.js'
import { measureOneWay } from '../harness/measure.js'
import { byteStreams, cSocket, KINDS, owningC, plainC } from './contestants.js'

export const SMALL = 'small writes'
export const BULK = 'bulk transfer'

const BULK_WRITE = 64 * 1024
const BULK_BYTES = { full: 1024 ** 3, quick: 64 * 1024 ** 2 }

/** @typedef {import('../harness/link.js').Contestant} Contestant */
/** @typedef {import('../harness/limits.js').Level} Level */

/** @param {import('../run.js').Form} form @returns {import('../harness/plan.js').Block[]} */
export function plan(form) {
  /** @type {Level[]} */
  const levels = canRaise() ? ['default', 'raised'] : ['default']
  if (form.quick) return [smallWrites(form, 'default'), bulk(form, levels[levels.length - 1])]
  return [
    ...levels.map((limits) => smallWrites(form, limits)),
    ...levels.map((limits) => bulk(form, limits)),
  ]
}

/** @param {import('../run.js').Form} form @param {Level} limits */
function smallWrites({ quick, rounds, warmUp, seconds }, limits) {
  const size = 64
  const framed = byteStreams(KINDS, { framed: true, corked: true }, 'framed, corked')
  const raw = [
    ...byteStreams(KINDS, {}, 'raw'),
    ...byteStreams(KINDS, { corked: true }, 'raw, corked'),
  ]
  return {
    suite: SMALL,
    limits,
    size,
    rounds,
    cases: (quick ? framed : [...framed, ...raw]).map((contestant) => ({
      name: contestant.name,
      kind: contestant.kind,
      measure: () => measureOneWay(contestant, { size, limits, warmUp, seconds }),
    })),
  }
}

/** @param {import('../run.js').Form} form @param {Level} limits */
function bulk({ quick, rounds, warmUp }, limits) {
  const bytes = quick ? BULK_BYTES.quick : BULK_BYTES.full
  // A C program with a queue sends the largest messages that the limits let it.
  const cMessage = longestMessage(limits)
  /** @type {[Contestant, number][]} */
  const sized = [
    ...KINDS.flatMap((kind) =>
      [plainC(kind), owningC(kind)].map(
        (each) => /** @type {[Contestant, number]} */ ([each, cMessage]),
      ),
    ),
    [cSocket(), BULK_WRITE],
    ...byteStreams(KINDS, {}, 'raw').map(
      (each) => /** @type {[Contestant, number]} */ ([each, BULK_WRITE]),
    ),
  ]
  return {
    suite: BULK,
    limits,
    size: BULK_WRITE,
    rounds,
    cases: sized.map(([contestant, size]) => ({
      name: contestant.name,
      kind: contestant.kind,
      measure: async () => {
        const sample = await measureOneWay(contestant, {
          size,
          limits,
          warmUp,
          count: bytes / size,
        })
        return { ...sample, bytesPerSecond: sample.messagesPerSecond * size }
      },
    })),
  }
}
