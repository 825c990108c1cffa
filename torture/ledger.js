/** Compares what was sent with what arrived. */
import { TYPES } from './message.js'
import { CORRUPT, readPairs } from './records.js'

/**
 * `confirmed`: files of ConfirmedRecord; `received`: files of ReceivedRecord, one a process.
 *
 * - `lost`: confirmed and in no file
 * - `repeated`: in the files more than once, each time beyond the first counted
 * - `unconfirmed`: arrived although no callback said that the kernel has it
 * - `unordered`: within one file, before or equal to an earlier one of its producer and type
 */
export function settle(confirmed, received) {
  const totals = new Map()
  for (const file of confirmed)
    for (const [producer, count] of readPairs(file)) totals.set(producer, count)
  const sums = {
    sent: 0,
    received: 0,
    lost: 0,
    repeated: 0,
    corrupt: 0,
    unordered: 0,
    unconfirmed: 0,
  }
  const seen = new Map()
  for (const file of received) {
    const last = new Map()
    for (const [producer, sequence] of readPairs(file)) {
      sums.received++
      if (sequence === CORRUPT) {
        sums.corrupt++
        continue
      }
      if (mark(seen, producer, sequence)) sums.repeated++
      else if (sequence >= (totals.get(producer) ?? 0)) sums.unconfirmed++
      const stream = producer * TYPES + (sequence % TYPES)
      if (sequence <= (last.get(stream) ?? -1)) sums.unordered++
      last.set(stream, sequence)
    }
  }
  for (const [producer, count] of totals) {
    sums.sent += count
    const flags = seen.get(producer)
    for (let sequence = 0; sequence < count; sequence++) if (!flags?.[sequence]) sums.lost++
  }
  return sums
}

/** Notes a message; whether it had been noted before. */
function mark(seen, producer, sequence) {
  let flags = seen.get(producer)
  if (!flags || flags.length <= sequence) {
    const grown = new Uint8Array(Math.max(1024, 2 * sequence))
    if (flags) grown.set(flags)
    flags = grown
    seen.set(producer, flags)
  }
  if (flags[sequence]) return true
  flags[sequence] = 1
  return false
}
