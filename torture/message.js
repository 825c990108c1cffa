/**
 * The messages of the torture test: each says who sent it, the how-manieth it is, and a checksum of
 * itself. Length and type follow from the sequence number.
 *
 *   0  uint32  CRC-32 of the rest
 *   4  uint32  producer
 *   8  uint32  sequence
 *  12  filling
 */
import { crc32 } from 'node:zlib'
import { Frame } from 'kernelmq'

const HEADER = 12
const LONGEST_FILLING = 100

/** The longest message, in bytes. */
export const LONGEST = HEADER + LONGEST_FILLING
/** How many types there are; order is promised within each. */
export const TYPES = 4

export function compose(producer, sequence) {
  const length = HEADER + ((sequence * 37) % (LONGEST_FILLING + 1))
  const data = Buffer.allocUnsafe(length)
  data.writeUInt32LE(producer, 4)
  data.writeUInt32LE(sequence, 8)
  data.fill(sequence & 0xff, HEADER)
  data.writeUInt32LE(crc32(data.subarray(4)), 0)
  return new Frame(typeOf(sequence), data)
}

/** 1 … TYPES, which both kinds of queue take. */
export function typeOf(sequence) {
  return 1 + (sequence % TYPES)
}

/** `intact` is false where anything differs from what was sent. */
export function examine({ type, data }) {
  if (data.length < HEADER) return { producer: 0, sequence: 0, intact: false }
  const producer = data.readUInt32LE(4)
  const sequence = data.readUInt32LE(8)
  const intact = data.readUInt32LE(0) === crc32(data.subarray(4)) && type === typeOf(sequence)
  return { producer, sequence, intact }
}
