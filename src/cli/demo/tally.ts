/** What went into a queue, or came out of it: counts, and a hash of all lines of each type. */
import { createHash } from 'node:crypto'

export interface Summary {
  messages: number
  bytes: number
  /** From the first message to the last. */
  milliseconds: number
  types: Record<number, { messages: number; sha256: string }>
}

export class Tally {
  #bytes = 0
  #first = 0
  #last = 0
  readonly #types = new Map<number, { messages: number; hash: ReturnType<typeof createHash> }>()

  add(type: number, line: Uint8Array): void {
    this.#first ||= performance.now()
    let entry = this.#types.get(type)
    if (!entry) {
      entry = { messages: 0, hash: createHash('sha256') }
      this.#types.set(type, entry)
    }
    entry.messages++
    entry.hash.update(line)
    this.#bytes += line.length
  }

  /** The tally is complete. */
  finish(): Summary {
    this.#last = performance.now()
    const types: Summary['types'] = {}
    let messages = 0
    for (const [type, entry] of this.#types) {
      types[type] = { messages: entry.messages, sha256: entry.hash.digest('hex') }
      messages += entry.messages
    }
    return { messages, bytes: this.#bytes, milliseconds: this.#last - this.#first, types }
  }
}
