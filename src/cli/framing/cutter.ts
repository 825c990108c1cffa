/** From a stream of bytes to messages. */
import type { Framing } from './framing.js'
import { isDelimited } from './framing.js'
import { JsonCutter } from './json-cutter.js'
import { LengthCutter } from './length-cutter.js'
import { LineCutter } from './line-cutter.js'
import { RawCutter } from './raw-cutter.js'

export interface Message {
  data: Buffer | string
  /** Where the stream itself tells. */
  type?: number | bigint | undefined
}

/** Messages are made of pieces of the chunks, so they are good until the next chunk. */
export interface Cutter {
  cut(chunk: Buffer): Iterable<Message>
  /** What is left at the end of the stream. */
  end(): Iterable<Message>
}

export const longLines = ['split', 'error', 'truncate'] as const
export type LongLines = (typeof longLines)[number]

export interface CutterOptions {
  framing: Framing
  pack: boolean
  longLines: LongLines
  /**
   * Whether a last line without its end must arrive without it. Only a stream that has an end needs
   * that; otherwise it is a line as any other.
   */
  exactEnd: boolean
  /** The longest message that the queue takes. */
  longest: number
  /** How long a message is best, where we choose. */
  best: number
  /** Whether what the stream says a type is can be sent as one. */
  takesType(type: number | bigint): boolean
}

/** What happened to what was too long. */
export interface Tally {
  split: number
  truncated: number
}

/** What is longer than the queue takes, and must not be cut. */
export class TooLong extends Error {
  readonly code = 'EMSGSIZE'
  readonly hint =
    'use --long-lines split or truncate, or a queue for longer messages (kmq limits plan)'

  constructor(what: string, longest: number) {
    super(`${what} is longer than the ${longest} bytes that a message of the queue may have`)
  }
}

export function makeCutter(options: CutterOptions, tally: Tally): Cutter {
  const { framing } = options
  if (isDelimited(framing)) return new LineCutter(framing, options, tally)
  if (framing === 'json') return new JsonCutter(options, tally)
  if (framing === 'length') return new LengthCutter(options, tally)
  return new RawCutter(options)
}

/** A message that has borders of its own, so that it cannot be split. */
export function fit(
  data: Buffer,
  what: string,
  { longLines, longest }: CutterOptions,
  tally: Tally,
): Buffer {
  if (data.length <= longest) return data
  if (longLines !== 'truncate') throw new TooLong(what, longest)
  tally.truncated++
  return data.subarray(0, longest)
}
