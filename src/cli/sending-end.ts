/** The way of messages into a queue, full or not. */
import type { MessageQueue } from '../index.js'
import { type OnFull, OverflowSender } from '../overflow.js'
import type { Message } from './framing/cutter.js'
import type { Progress } from './progress.js'

export class SendingEnd {
  readonly #queue: MessageQueue
  readonly #overflow: OverflowSender
  readonly #type: number | bigint | undefined
  readonly #signal: AbortSignal
  readonly #progress: Progress

  constructor(
    queue: MessageQueue,
    { onFull, type }: { onFull: OnFull; type?: number | bigint },
    signal: AbortSignal,
    progress: Progress,
  ) {
    this.#queue = queue
    this.#overflow = new OverflowSender(queue, onFull)
    this.#type = type
    this.#signal = signal
    this.#progress = progress
  }

  get dropped(): number {
    return this.#overflow.dropped
  }

  /** Undefined where the message went, or was dropped, without waiting. */
  send({ data, type }: Message): Promise<void> | undefined {
    return this.#overflow.offer(data, this.#options(type)) ? undefined : this.sendAnyway(data, type)
  }

  /** Waits, whatever else is done when the queue is full. */
  async sendAnyway(data: Buffer | string, type?: number | bigint): Promise<void> {
    this.#progress.waitsFor = 'room in the queue'
    await this.#queue.send(data, { ...this.#options(type), signal: this.#signal })
    this.#progress.waitsFor = ''
  }

  /** An explicit type wins over what the stream says, as it does in the library. */
  #options(own: number | bigint | undefined): { type?: number | bigint } {
    const type = this.#type ?? own
    return type === undefined ? {} : { type }
  }
}
