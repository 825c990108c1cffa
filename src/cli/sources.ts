/** Where `recv` takes its messages from, a batch at a time. */
import { once } from 'node:events'
import { Inbox } from '../drivers/records.js'
import type { AckFrame, Frame, MessageQueue, QueueReadable, SysVQueue } from '../index.js'

export interface Selection {
  type?: number | bigint
  except?: boolean
}

export interface SourceOptions extends Selection {
  /** Ends when the queue is empty. */
  drain?: boolean
  /** An empty message is the last of a batch. */
  eof?: boolean
}

export interface Source {
  /** At least one message and at most `max`; null at the end. */
  next(max: number, signal: AbortSignal): Promise<Frame[] | null>
  /** These have been written. Rejects where they cannot leave the queue. */
  settle(frames: readonly Frame[]): Promise<void>
  /** These have not: how many could not be put back. */
  putBack(frames: readonly Frame[]): number
}

/** A batch is written at once, so it is as long as a pipe takes. */
const BATCH_BYTES = 64 * 1024
const BATCH_MESSAGES = 1024
/** The memory for a batch: with headers, and where the last message is beyond. */
const MEMORY = 2 * BATCH_BYTES

/** Types as they are, to be put back as they were. */
const EXACT = { bigint: true } as const

/** Takes messages out of the queue. A batch is good until the next one is asked for. */
export class TakingSource implements Source {
  readonly #queue: MessageQueue
  readonly #options: SourceOptions
  readonly #inbox = new Inbox(MEMORY)

  constructor(queue: MessageQueue, options: SourceOptions) {
    this.#queue = queue
    this.#options = options
  }

  async next(max: number, signal: AbortSignal): Promise<Frame[] | null> {
    this.#inbox.rewind()
    const batch = this.#takeAll([], Math.min(max, BATCH_MESSAGES))
    if (batch.length > 0) return batch
    if (this.#options.drain) return null
    const first = await this.#queue.receive({ ...selection(this.#options), ...EXACT, signal })
    return this.#takeAll([first], Math.min(max, BATCH_MESSAGES))
  }

  #takeAll(batch: Frame[], max: number): Frame[] {
    const options = selection(this.#options)
    let bytes = 0
    // The queue stops at an empty message, for it may be the last.
    while (batch.length < max && bytes < BATCH_BYTES && !this.#isEnd(batch.at(-1))) {
      const frames = this.#queue.takeAll(max - batch.length, options, this.#inbox)
      if (frames.length === 0) break
      for (const frame of frames) {
        batch.push(frame)
        bytes += frame.data.length
      }
    }
    return batch
  }

  #isEnd(frame: Frame | undefined): boolean {
    return this.#options.eof === true && frame?.data.length === 0
  }

  async settle(): Promise<void> {}

  putBack(frames: readonly Frame[]): number {
    for (const [index, { type, data }] of frames.entries()) {
      try {
        if (this.#queue.trySend(data, { type })) continue
      } catch {
        // Gone, or for reading only: the caller says how many were lost.
      }
      return frames.length - index
    }
    return 0
  }
}

/** Leaves messages in the queue until they are settled. System V. */
export class AcknowledgingSource implements Source {
  readonly #queue: MessageQueue
  readonly #options: SourceOptions
  readonly #frames: QueueReadable<AckFrame>
  #error: Error | undefined

  constructor(queue: MessageQueue, options: SourceOptions) {
    this.#queue = queue
    this.#options = options
    this.#frames = queue.readable({ ...selection(options), ...EXACT, ack: true, highWaterMark: 64 })
    this.#frames.on('error', (error) => {
      this.#error = error
    })
  }

  async next(max: number, signal: AbortSignal): Promise<Frame[] | null> {
    for (;;) {
      const batch = this.#readAll(max)
      if (batch.length > 0) return batch
      if (this.#error) throw this.#error
      if (this.#options.drain && this.#isEmpty()) return null
      await once(this.#frames, 'readable', { signal })
    }
  }

  #readAll(max: number): Frame[] {
    const batch: Frame[] = []
    while (batch.length < max) {
      const frame: Frame | null = this.#frames.read()
      if (frame === null) break
      batch.push(frame)
      if (this.#options.eof && frame.data.length === 0) break
    }
    return batch
  }

  #isEmpty(): boolean {
    const queue = this.#queue as SysVQueue
    for (let index = 0; ; index++) {
      const frame = queue.peek(index, { bigint: true })
      if (frame === null) return true
      if (this.#matches(frame.type)) return false
    }
  }

  #matches(type: number | bigint): boolean {
    const { type: wanted = 0, except = false } = this.#options
    return BigInt(wanted) === 0n || (BigInt(wanted) === type) !== except
  }

  async settle(frames: readonly Frame[]): Promise<void> {
    if (frames.every((frame) => (frame as AckFrame).ack())) return
    if (this.#error) throw this.#error
    // The stream is about to fail, and that rejects this.
    await once(this.#frames, 'close')
  }

  // They have never left it.
  putBack(): number {
    return 0
  }
}

export function selection({ type, except }: Selection): Selection {
  return { ...(type !== undefined && { type }), ...(except !== undefined && { except }) }
}
