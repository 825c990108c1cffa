/** The way of messages into a queue, full or not. */
import { Frame, type MessageQueue } from '../index.js'
import { type OnFull, OverflowSender } from '../overflow.js'
import type { Message } from './framing/cutter.js'
import type { Progress } from './progress.js'

/** A batch is sent at once, so that the reader is woken once for it: the bytes of its messages. */
export const BATCH_BYTES = 128 * 1024
/** What it takes with the headers of packed messages, and where the last one is beyond. */
const MEMORY = 2 * BATCH_BYTES

export class SendingEnd {
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #type: number | bigint | undefined
  /** Who drops does not wait. */
  readonly #dropping: OverflowSender | undefined
  readonly #outlet: ReturnType<MessageQueue['outlet']>

  constructor(
    queue: MessageQueue,
    { onFull, type }: { onFull: OnFull; type?: number | bigint },
    signal: AbortSignal,
    progress: Progress,
  ) {
    this.#signal = signal
    this.#progress = progress
    this.#type = type
    this.#dropping = onFull === 'wait' ? undefined : new OverflowSender(queue, onFull)
    this.#outlet = queue.outlet(type, MEMORY)
    signal.addEventListener('abort', () => this.#outlet.destroy(signal.reason, () => {}))
  }

  get dropped(): number {
    return this.#dropping?.dropped ?? 0
  }

  /** How many of them an interruption kept from being sent; dropped ones are done with. */
  async send(messages: readonly Message[]): Promise<number> {
    if (!this.#dropping) return this.sendAnyway(messages)
    let unsent = 0
    for (const message of messages) {
      // An explicit type wins over what the stream says, as it does in the library.
      const type = this.#type ?? message.type
      const done = this.#dropping.offer(message.data, type === undefined ? {} : { type })
      // Where dropping makes no room, sending says why.
      if (!done) unsent += await this.sendAnyway([message])
    }
    return unsent
  }

  /** Waits, whatever else is done when the queue is full. */
  async sendAnyway(messages: readonly Message[]): Promise<number> {
    const outlet = this.#outlet
    const chunks = messages.map(({ data, type }) => ({
      chunk: type === undefined ? data : new Frame(type, data),
    }))
    const before = outlet.accepted
    this.#progress.waitsFor = 'room in the queue'
    try {
      await new Promise<void>((resolve, reject) => {
        outlet.write(chunks, (error) => (error ? reject(error) : resolve()))
      })
    } catch (error) {
      if (!this.#signal.aborted) throw error
    }
    this.#progress.waitsFor = ''
    return messages.length - (outlet.accepted - before)
  }
}
