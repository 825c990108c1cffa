/**
 * Messages in memory, on their way to and from the kernel. A slab is a piece of memory with one
 * record after another, laid out as `src/binding/record.h` says, so that one native call moves many
 * messages and none is copied twice.
 */
import { markAsUntransferable } from 'node:worker_threads'
import { argumentError } from '../errors.js'
import { Frame } from '../frame.js'

const HEADER = 16
const SLAB = 64 * 1024
/** From here on copying costs more than two views of the memory. */
const MUCH = 16 * 1024

/** The class of what `buffer.subarray()` returns, which asks for it each time: that costs as much again. */
const View = (Buffer as unknown as { [Symbol.species]: BufferView })[Symbol.species]
type BufferView = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer

function recordSize(length: number): number {
  return HEADER + ((length + 7) & ~7)
}

interface Slab {
  readonly bytes: Buffer
  readonly words: Int32Array
}

function allocate(size: number): Slab {
  // Records, and with them the numbers in their headers, begin at multiples of eight.
  const bytes = Buffer.allocUnsafeSlow((size + 7) & ~7)
  // Frames are views of the slab: were it transferred to another thread with one of them, all would
  // be detached, and the addon would write to memory that is not ours.
  markAsUntransferable(bytes.buffer)
  return slabOf(bytes)
}

function slabOf(bytes: Buffer): Slab {
  return { bytes, words: new Int32Array(bytes.buffer) }
}

/** Of an outbox that needs none at the moment. */
const NO_SLAB = slabOf(Buffer.alloc(0))

/** Messages to be sent: filled, sent by one call, and cleared. */
export class Outbox {
  readonly #size: number
  #slab = NO_SLAB
  #used = 0
  // Where the message that is being added ends so far.
  #end = 0
  count = 0

  /** `size`: of its memory, which grows for a time where that is not enough. */
  constructor(size: number) {
    this.#size = size
  }

  get bytes(): Uint8Array {
    return this.#slab.bytes
  }

  /** The data of the records so far, headers and padding with it. */
  get used(): number {
    return this.#used
  }

  clear(): void {
    this.#used = this.count = 0
  }

  /** Forgets all but the first messages. */
  truncate(count: number): void {
    let used = 0
    for (let i = 0; i < count; i++) used = nextRecord(this.#slab.bytes, used)
    this.#used = used
    this.count = count
  }

  /** Adds a message; the length of its data. */
  add(type: number | bigint, data: string | Uint8Array): number {
    this.begin()
    if (typeof data === 'string') {
      // A UTF-16 unit becomes three bytes at most.
      this.#reserve(data.length * 3)
      this.#end += this.#slab.bytes.write(data, this.#end)
    } else {
      this.append(data)
    }
    return this.seal(type)
  }

  /** A message in pieces: begin, append as often as needed, seal. */
  begin(): void {
    this.#end = this.#used + HEADER
  }

  append(piece: Uint8Array): void {
    this.#reserve(piece.length)
    this.#slab.bytes.set(piece, this.#end)
    this.#end += piece.length
  }

  /** The length of the message's data. */
  seal(type: number | bigint): number {
    const { words } = this.#slab
    const length = this.#end - this.#used - HEADER
    const word = this.#used >> 2
    words[word] = length
    if (typeof type === 'number') {
      words[word + 2] = type
      words[word + 3] = type / 2 ** 32
    } else {
      words[word + 2] = Number(BigInt.asIntN(32, type))
      words[word + 3] = Number(type >> 32n)
    }
    this.#used += recordSize(length)
    this.count++
    return length
  }

  /** Makes room behind #end, for the data and what pads it. */
  #reserve(length: number): void {
    const needed = this.#end + length + 8
    if (needed <= this.#slab.bytes.length) return
    const before = this.#slab.bytes
    this.#slab = allocate(Math.max(needed, 2 * this.#end, this.#size))
    this.#slab.bytes.set(before.subarray(0, this.#end))
  }

  /**
   * What was added, from a record on, for sending that has to wait: much goes with the memory that it
   * stands in, little is copied out of it.
   */
  release(offset: number): Uint8Array {
    const waiting = this.#slab.bytes.subarray(offset, this.#used)
    if (waiting.length < MUCH) {
      const copy = Buffer.allocUnsafeSlow(waiting.length)
      copy.set(waiting)
      return copy
    }
    this.#slab = NO_SLAB
    return waiting
  }

  /** What was released is sent: its memory is as good as new, and in the processor's cache. */
  recycle({ buffer }: Uint8Array): void {
    if (this.#slab !== NO_SLAB || buffer.byteLength > Math.max(SLAB, this.#size)) return
    this.#slab = slabOf(Buffer.from(buffer))
  }
}

/** Data of any kind as bytes, not copied. */
export function asBytes(data: NodeJS.ArrayBufferView): Uint8Array {
  // One of no bytes may be a view of memory that has gone to another thread.
  if (data instanceof Uint8Array && data.length > 0) return data
  try {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  } catch {
    const problem = 'is a view of a detached ArrayBuffer'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'data', problem, data)
  }
}

/** Where the record after this one begins. */
export function nextRecord(slab: Uint8Array, offset: number): number {
  return offset + recordSize(dataLength(slab, offset))
}

/** How many bytes of data the record at this place has. */
export function dataLength(slab: Uint8Array, offset: number): number {
  // Little-endian, as everywhere that Node.js runs; any view would cost more.
  let length = 0
  for (let i = 3; i >= 0; i--) length = length * 256 + (slab[offset + i] as number)
  return length
}

/** The length of the longest of some messages. */
export function longestOf(slab: Uint8Array, offset: number, count: number): number {
  let longest = 0
  for (let at = offset, i = 0; i < count; i++, at = nextRecord(slab, at)) {
    longest = Math.max(longest, dataLength(slab, at))
  }
  return longest
}

/** A type from the two halves in which the addon passes it; exact as a bigint. */
export function joinType(low: number, high: number, bigint: boolean): number | bigint {
  if (bigint) return (BigInt(high) << 32n) | BigInt(low >>> 0)
  return high * 2 ** 32 + (low >>> 0)
}

/** A type is never rounded: above 2^53-1 only a bigint can hold it. */
export function unsafeType(type: number | bigint): TypeError {
  return argumentError(
    'ERR_OUT_OF_RANGE',
    'type',
    'of a message in the queue is above 2^53-1: receive with { bigint: true }',
    type,
  )
}

export function isSafeType(high: number): boolean {
  return high < 2 ** 21
}

/**
 * Where messages are taken to. Frames are views of its slab, and when that is used up a new one takes
 * its place.
 */
export class Inbox {
  readonly #size: number
  #slab: Slab
  #used = 0

  constructor(size = SLAB) {
    this.#size = size
    this.#slab = allocate(size)
  }

  /** Nobody has the frames any more: the next ones take their place. */
  rewind(): void {
    this.#used = 0
  }

  /**
   * Takes messages with one call of `receive`, which returns how many it put behind the given offset,
   * or a negated errno, which is returned. `longest` is what there must be room for. A type that a
   * number cannot hold ends the frames there; `rest` has the ones from it on.
   */
  take(
    longest: number,
    bigint: boolean,
    receive: (slab: Uint8Array, offset: number) => number,
  ): Taken | number {
    const needed = recordSize(longest)
    if (this.#slab.bytes.length - this.#used < needed) this.#renew(longest)
    const taken = receive(this.#slab.bytes, this.#used)
    return taken > 0 ? this.#read(taken, bigint) : taken
  }

  #read(count: number, bigint: boolean): Taken {
    const { bytes, words } = this.#slab
    const memory = bytes.buffer
    // A slab made for long messages is not spent on short ones: these are copied out of it.
    const spare = bytes.length > this.#size
    const frames: Frame[] = []
    let rest: Frame[] | undefined
    let error: Error | undefined
    let at = this.#used
    let lent = false
    for (let i = 0; i < count; i++) {
      const word = at >> 2
      const length = words[word] as number
      const low = words[word + 2] as number
      const high = words[word + 3] as number
      let data = new View(memory, at + HEADER, length)
      if (spare && length * 2 < bytes.length) data = Buffer.from(data)
      else lent = true
      at += recordSize(length)
      if (rest === undefined && !bigint && !isSafeType(high)) {
        rest = []
        error = unsafeType(joinType(low, high, true))
      }
      if (rest !== undefined) rest.push(new Frame(joinType(low, high, true), data))
      else if (high === 0 && !bigint) frames.push(new Frame(low >>> 0, data))
      else frames.push(new Frame(joinType(low, high, bigint), data))
    }
    if (lent) this.#used = at
    return rest ? { frames, rest, error: error as Error } : { frames }
  }

  #renew(longest: number): void {
    this.#slab = allocate(Math.max(this.#size, recordSize(longest)))
    this.#used = 0
  }
}

export interface Taken {
  frames: Frame[]
  /** Frames that cannot be handed over, and why; they belong back in the queue. */
  rest?: Frame[]
  error?: Error
}

/** For all queues of a thread: a call fills it, sends, and is done with it. */
export const outbox = new Outbox(4 * SLAB)
/** For all queues of a thread, so an idle queue holds no memory here. */
export const inbox = new Inbox()
