/** The way of messages into a queue, full or not, with an account of them. */
import type { MessageQueue } from '../index.js'
import type { Message } from './framing/cutter.js'
import type { Progress } from './progress.js'

export const onFull = ['wait', 'drop-new', 'drop-old'] as const
export type OnFull = (typeof onFull)[number]

export class SendingEnd {
  dropped = 0
  readonly #queue: MessageQueue
  readonly #onFull: OnFull
  readonly #type: number | bigint | undefined
  readonly #signal: AbortSignal
  readonly #progress: Progress

  constructor(
    queue: MessageQueue,
    options: { onFull: OnFull; type?: number | bigint },
    signal: AbortSignal,
    progress: Progress,
  ) {
    this.#queue = queue
    this.#onFull = options.onFull
    this.#type = options.type
    this.#signal = signal
    this.#progress = progress
  }

  /** Undefined where the message went, or was dropped, without waiting. */
  send({ data, type }: Message): Promise<void> | undefined {
    const options = this.#options(type)
    if (this.#queue.trySend(data, options)) return undefined
    switch (this.#onFull) {
      case 'drop-new':
        this.dropped++
        return undefined
      case 'drop-old':
        this.#displace(data, options)
        return undefined
      case 'wait':
        return this.sendAnyway(data, type)
    }
  }

  /** Waits, whatever else is done when the queue is full. */
  async sendAnyway(data: Buffer | string, type?: number | bigint): Promise<void> {
    this.#progress.waitsFor = 'room in the queue'
    await this.#queue.send(data, { ...this.#options(type), signal: this.#signal })
    this.#progress.waitsFor = ''
  }

  /** What a reader would get next has to go. */
  #displace(data: Buffer | string, options: { type?: number | bigint }): void {
    do {
      if (this.#queue.tryReceive({ bigint: true })) this.dropped++
    } while (!this.#queue.trySend(data, options))
  }

  /** An explicit type wins over what the stream says, as it does in the library. */
  #options(own: number | bigint | undefined): { type?: number | bigint } {
    const type = this.#type ?? own
    return type === undefined ? {} : { type }
  }
}
