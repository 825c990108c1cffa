import type { Cutter, CutterOptions, Message } from './cutter.js'

/** Bytes in messages of good size. */
export class RawCutter implements Cutter {
  readonly #size: number

  constructor({ best }: CutterOptions) {
    this.#size = best
  }

  *cut(chunk: Buffer): Iterable<Message> {
    for (let at = 0; at < chunk.length; at += this.#size) {
      yield { data: chunk.subarray(at, at + this.#size) }
    }
  }

  end(): Iterable<Message> {
    return []
  }
}
