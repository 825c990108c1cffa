/** What becomes of a message when the queue is full: shared by whoever sends what goes on coming. */
import type { Data, MessageQueue, SendOptions } from './index.js'

/**
 * - `wait`: the sender waits
 * - `drop-new`: the message is dropped
 * - `drop-old`: what a reader would get next is dropped in its place; needs permission to read. On a
 *   POSIX queue that is the most urgent message.
 */
export const onFullPolicies = ['wait', 'drop-new', 'drop-old'] as const
export type OnFull = (typeof onFullPolicies)[number]

export class OverflowSender {
  /** How many messages were dropped. */
  dropped = 0
  readonly #queue: MessageQueue
  readonly #onFull: OnFull

  constructor(queue: MessageQueue, onFull: OnFull) {
    this.#queue = queue
    this.#onFull = onFull
  }

  /** Whether the message is done with, sent or dropped; `false`: it has to wait. */
  offer(data: Data, options: SendOptions): boolean {
    if (this.#queue.trySend(data, options)) return true
    if (this.#onFull === 'wait') return false
    if (!this.displaces) {
      this.dropped++
      return true
    }
    for (;;) {
      const displaced = this.displace()
      if (this.#queue.trySend(data, options)) return true
      // There is nothing that stands in its way: the queue itself is too small for it by now.
      if (!displaced) return false
    }
  }

  /** Whether it may make room. */
  get displaces(): boolean {
    return this.#onFull === 'drop-old'
  }

  /** Drops what a reader would get next; whether there was anything. */
  displace(): boolean {
    if (!this.#queue.tryReceive({ bigint: true })) return false
    this.dropped++
    return true
  }
}
