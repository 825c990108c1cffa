/**
 * What the processes write down for the main one, in files, for these outlive `kill -9`: pairs of two
 * uint32. A receiver's are (producer, sequence) of each message, in order; a producer's (producer,
 * how many messages from 0 on the kernel has, by the callbacks of its writes).
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { examine } from './message.js'

const PAIR = 8
const BUFFERED = 8192 * PAIR

/** In place of the sequence of a message that is not intact. */
export const CORRUPT = 2 ** 32 - 1

class Pairs {
  #fd
  #pairs = Buffer.alloc(BUFFERED)
  #used = 0
  #durable

  /** `durable`: a pair is written when `add` returns. */
  constructor(file, durable) {
    this.#fd = openSync(file, 'a')
    this.#durable = durable
  }

  add(first, second) {
    this.#pairs.writeUInt32LE(first, this.#used)
    this.#pairs.writeUInt32LE(second, this.#used + 4)
    this.#used += PAIR
    if (this.#durable || this.#used === BUFFERED) this.#flush()
  }

  close() {
    this.#flush()
    closeSync(this.#fd)
  }

  #flush() {
    writeSync(this.#fd, this.#pairs, 0, this.#used)
    this.#used = 0
  }
}

export class ReceivedRecord extends Pairs {
  note(frame) {
    const { producer, sequence, intact } = examine(frame)
    this.add(producer, intact ? sequence : CORRUPT)
  }
}

/** The last pair of a producer counts. */
export class ConfirmedRecord extends Pairs {}

export function* readPairs(file) {
  const pairs = readFileSync(file)
  // A process may have been killed in the middle of a pair.
  for (let at = 0; at + PAIR <= pairs.length; at += PAIR) {
    yield [pairs.readUInt32LE(at), pairs.readUInt32LE(at + 4)]
  }
}
