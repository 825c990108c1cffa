import { type Cutter, type CutterOptions, fit, type Message, type Tally } from './cutter.js'

const HEADER = 4

/** Messages behind their lengths. */
export class LengthCutter implements Cutter {
  #rest: Buffer = Buffer.alloc(0)
  #skip = 0

  constructor(
    readonly options: CutterOptions,
    readonly tally: Tally,
  ) {}

  *cut(chunk: Buffer): Iterable<Message> {
    let rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    rest = this.#skipFrom(rest)
    while (rest.length >= HEADER) {
      const length = rest.readUInt32BE(0)
      // No more than can be sent is collected; a message too long fails, or is cut here.
      const wanted = Math.min(length, this.options.longest + 1)
      if (rest.length < HEADER + wanted) break
      const data = rest.subarray(HEADER, HEADER + wanted)
      yield { data: fit(data, `a message of ${length} bytes`, this.options, this.tally) }
      this.#skip = length - wanted
      rest = this.#skipFrom(rest.subarray(HEADER + wanted))
    }
    // A copy: the chunk is not ours for longer.
    this.#rest = Buffer.from(rest)
  }

  #skipFrom(bytes: Buffer): Buffer {
    const skipped = Math.min(this.#skip, bytes.length)
    this.#skip -= skipped
    return bytes.subarray(skipped)
  }

  end(): Iterable<Message> {
    if (this.#rest.length > 0 || this.#skip > 0) {
      throw new Error('the input ends in the middle of a message')
    }
    return []
  }
}
