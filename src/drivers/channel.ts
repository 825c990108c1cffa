/**
 * An open queue as streams and handles see it: what goes out in order, what comes in by selector, and
 * everyone who must be told when it closes.
 */
import { QueueError } from '../errors.js'
import type { Frame } from '../frame.js'
import type { Driver, Liveness, Selector } from './driver.js'
import { framesLost } from './put-back.js'
import { Receiver } from './receiver.js'
import { Sender } from './sender.js'

const DISCARD_BATCH = 64
/** How many receivers are kept at least, before the idle ones are let go. */
const FEW_RECEIVERS = 64

/** Someone who reads from the channel and lets go of it when it closes. */
export interface Reader {
  /** `done` is called when nothing that it took is left in its hands. */
  channelClosing(done: () => void): void
  updateKeepAlive(): void
}

export class Channel<D extends Driver = Driver> {
  readonly sender: Sender
  readonly liveness: Liveness = { keep: true }
  readonly #receivers = new Map<string, Receiver>()
  #manyReceivers = FEW_RECEIVERS
  readonly #readers = new Set<Reader>()
  #closing: Promise<void> | undefined

  constructor(readonly driver: D) {
    this.sender = new Sender(driver, this.liveness)
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** Whether waiting on this handle keeps the process alive. */
  keepAlive(keep: boolean): void {
    this.liveness.keep = keep
    this.sender.updateKeepAlive()
    for (const receiver of this.#receivers.values()) receiver.updateKeepAlive()
    for (const reader of this.#readers) reader.updateKeepAlive()
  }

  closedError(): QueueError {
    return new QueueError('ERR_QUEUE_CLOSED', { address: this.driver.address })
  }

  assertOpen(): void {
    if (this.closed) throw this.closedError()
  }

  /** Asked for each time: one that is idle may be another one the next time. */
  receiver(selector: Selector): Receiver {
    const key = `${selector.type}${selector.except ? ' except' : ''}`
    let receiver = this.#receivers.get(key)
    if (!receiver) {
      if (this.#receivers.size >= this.#manyReceivers) this.#forgetIdle()
      receiver = new Receiver(this.driver, selector, this.liveness)
      this.#receivers.set(key, receiver)
    }
    return receiver
  }

  // A type for each request, say: these would gather for as long as the queue is open.
  #forgetIdle(): void {
    for (const [key, receiver] of this.#receivers) {
      if (receiver.idle) this.#receivers.delete(key)
    }
    this.#manyReceivers = Math.max(FEW_RECEIVERS, 2 * this.#receivers.size)
  }

  /** Discards all that matches; how many. */
  discardAll(selector: Selector): number {
    let discarded = 0
    const receiver = this.receiver(selector)
    // Bigints: no type is out of range here.
    for (;;) {
      const { frames } = receiver.takeNow(DISCARD_BATCH, true)
      if (frames.length === 0) return discarded
      discarded += frames.length
    }
  }

  attach(reader: Reader): void {
    this.#readers.add(reader)
  }

  detach(reader: Reader): void {
    this.#readers.delete(reader)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const error = this.closedError()
    const finished: Promise<Frame[]>[] = []
    const closing = (close: (done: (lost?: Frame[]) => void) => void) => {
      finished.push(new Promise((resolve) => close((lost = []) => resolve(lost))))
    }
    for (const reader of [...this.#readers]) closing((done) => reader.channelClosing(done))
    for (const receiver of this.#receivers.values()) closing((done) => receiver.close(error, done))
    closing((done) => this.sender.close(error, done))
    const lost = (await Promise.all(finished)).flat()
    this.driver.close()
    if (lost.length > 0) throw framesLost(this.driver, lost)
  }
}
