import { type Cutter, type CutterOptions, type Message, type Tally, TooLong } from './cutter.js'
import { type Delimited, delimiters, isMarked, MARK } from './framing.js'

/**
 * Lines, one a message or as many as fit. What is read is sent at once but for a line whose end has not
 * come; of such a line no more is kept than a message takes.
 */
export class LineCutter implements Cutter {
  readonly #delimiter: number
  readonly #options: CutterOptions
  readonly #tally: Tally
  #rest: Buffer = Buffer.alloc(0)
  /** The beginning of the line was too long, and has been dealt with. */
  #within = false

  constructor(framing: Delimited, options: CutterOptions, tally: Tally) {
    this.#delimiter = delimiters[framing]
    this.#options = options
    this.#tally = tally
  }

  /** A line that has begun, for others to go on with; undefined where it is longer than they take. */
  takeBegun(longest: number): Buffer | undefined {
    if (this.#within || this.#rest.length >= longest) return undefined
    const begun = this.#rest
    this.#rest = Buffer.alloc(0)
    return begun
  }

  *cut(chunk: Buffer): Iterable<Message> {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const { pack, longest } = this.#options
    let at = 0
    for (;;) {
      const end = this.#within || !pack ? -1 : this.#endOfPack(bytes, at)
      if (end > at) {
        yield { data: this.#packed(bytes.subarray(at, end)) }
        at = end
        continue
      }
      const next = bytes.indexOf(this.#delimiter, at)
      if (next < 0) break
      yield* this.#line(bytes.subarray(at, next + 1))
      at = next + 1
    }
    // A line that is too long need not be complete to be dealt with.
    let rest = bytes.subarray(at)
    if (rest.length > longest || (this.#within && rest.length > 0)) {
      yield* this.#long(rest, false)
      rest = rest.subarray(rest.length)
    }
    // A copy: the chunk is not ours for longer.
    this.#rest = Buffer.from(rest)
  }

  *end(): Iterable<Message> {
    if (this.#rest.length === 0) return
    if (this.#options.exactEnd) yield* this.#verbatim(this.#rest)
    else yield* this.#line(Buffer.concat([this.#rest, Buffer.of(this.#delimiter)]))
  }

  /** Behind the last line that fits; `at` where none does. */
  #endOfPack(bytes: Buffer, at: number): number {
    const { best } = this.#options
    // A mark takes room of its own.
    const room = isMarked(bytes.subarray(at, at + MARK.length)) ? best - MARK.length : best
    if (at >= bytes.length || room <= 0) return at
    const last = Math.min(bytes.length, at + room) - 1
    const end = bytes.lastIndexOf(this.#delimiter, last)
    return end < at ? at : end + 1
  }

  #packed(lines: Buffer): Buffer {
    return isMarked(lines) ? Buffer.concat([MARK, lines]) : lines
  }

  /** A line with its end. */
  *#line(line: Buffer): Iterable<Message> {
    const length = line.length - 1
    if (this.#within || length > this.#options.longest) {
      yield* this.#long(line, true)
    } else if (isMarked(line)) {
      yield* this.#verbatim(line)
    } else {
      yield { data: length === 0 ? line : line.subarray(0, length) }
    }
  }

  /** A piece of a line that is too long. */
  *#long(piece: Buffer, complete: boolean): Iterable<Message> {
    const { longLines, longest } = this.#options
    const first = !this.#within
    this.#within = true
    if (longLines === 'split') {
      if (first) this.#tally.split++
      yield* this.#verbatim(piece)
    } else if (longLines === 'error') {
      throw new TooLong('a line', longest)
    } else if (first) {
      this.#tally.truncated++
      yield* this.#truncated(piece)
    }
    if (complete) this.#within = false
  }

  *#truncated(line: Buffer): Iterable<Message> {
    const { longest } = this.#options
    if (isMarked(line)) {
      const kept = line.subarray(0, Math.max(0, longest - MARK.length - 1))
      yield* this.#verbatim(Buffer.concat([kept, Buffer.of(this.#delimiter)]))
    } else {
      yield { data: line.subarray(0, longest) }
    }
  }

  /** Text that is not to be given an end, in as many messages as it needs. */
  *#verbatim(text: Buffer): Iterable<Message> {
    const room = this.#options.longest - MARK.length
    if (room < 1) throw new TooLong('a line', this.#options.longest)
    for (let at = 0; at < text.length; at += room) {
      yield { data: Buffer.concat([MARK, text.subarray(at, at + room)]) }
    }
  }
}
