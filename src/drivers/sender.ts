/**
 * The sends of one handle, in the order of the calls: while one waits for room, all later ones wait
 * behind it.
 */
import type { Data } from '../codecs.js'
import { errno } from '../errors.js'
import type { Driver, Liveness, RoomWait } from './driver.js'
import { asBytes, nextRecord, type Outbox, outbox } from './records.js'

/** Called once, when the kernel has all of the messages, or with what went wrong. */
export type Sent = (error: Error | null) => void

export interface Pending {
  readonly bytes: Uint8Array
  offset: number
  count: number
  readonly from: Outbox
  readonly done: Sent
  /** Set by a cancellation, which takes effect unless the kernel is quicker. */
  reason?: Error
}

/** Adds a message to an outbox; throws EMSGSIZE first for what no such queue will take. */
export function addMessage(
  messages: Outbox,
  driver: Driver,
  type: number | bigint,
  data: Data,
): void {
  if (typeof data !== 'string') {
    const bytes = asBytes(data)
    driver.checkLength(bytes.length)
    messages.add(type, bytes)
    return
  }
  // The outbox would grow for what is refused. UTF-8 has no fewer bytes than `length`.
  if (data.length > driver.maxMessageSize) driver.checkLength(Buffer.byteLength(data))
  driver.checkLength(messages.add(type, data))
}

export class Sender {
  readonly #driver: Driver
  readonly #liveness: Liveness
  readonly #wait: RoomWait
  #pending: Pending[] = []
  #waiting = false
  #serving = false
  readonly #whenIdle: (() => void)[] = []

  constructor(driver: Driver, liveness: Liveness) {
    this.#driver = driver
    this.#liveness = liveness
    this.#wait = driver.waitForRoom()
  }

  /** Whether the kernel has the message: false where the queue is full, or others wait for room. */
  trySend(type: number | bigint, data: Data): boolean {
    outbox.clear()
    addMessage(outbox, this.#driver, type, data)
    return this.#pending.length === 0 && this.#sendNow(outbox) === 1
  }

  /** Undefined where the kernel has the message already; otherwise `done` tells, later. */
  send(type: number | bigint, data: Data, done: Sent): Pending | undefined {
    outbox.clear()
    addMessage(outbox, this.#driver, type, data)
    return this.sendAll(outbox, done)
  }

  /** The same for all messages in an outbox, whose lengths were checked: it may be used again. */
  sendAll(messages: Outbox, done: Sent): Pending | undefined {
    let sent = 0
    if (messages.count === 0) return undefined
    if (this.#pending.length === 0) {
      sent = this.#sendNow(messages)
      if (sent === messages.count) return undefined
    }
    let offset = 0
    for (let i = 0; i < sent; i++) offset = nextRecord(messages.bytes, offset)
    const bytes = messages.release(offset)
    const pending: Pending = {
      bytes,
      offset: 0,
      count: messages.count - sent,
      from: messages,
      done,
    }
    this.#pending.push(pending)
    this.#begin()
    return pending
  }

  #sendNow({ bytes, count }: Outbox): number {
    const driver = this.#driver
    const sent = driver.send(bytes, 0, count)
    if (sent >= 0) return sent
    if (sent === -errno.EAGAIN) return 0
    throw driver.error(sent, driver.sendCall)
  }

  /** Gives a send up, unless the kernel has it by then: `done` tells which. */
  cancel(pending: Pending, reason: Error): void {
    if (pending.reason || !this.#pending.includes(pending)) return
    pending.reason = reason
    if (this.#waiting && this.#pending[0] === pending) {
      this.#wait.cancel()
      return
    }
    this.#pending = this.#pending.filter((each) => each !== pending)
    process.nextTick(pending.done, reason)
  }

  /** Gives all up. */
  close(reason: Error, done: () => void): void {
    if (this.#waiting) this.#whenIdle.push(done)
    else done()
    for (const pending of this.#pending.slice().reverse()) this.cancel(pending, reason)
  }

  updateKeepAlive(): void {
    if (this.#waiting) this.#wait.keepAlive(this.#liveness.keep)
  }

  #begin(): void {
    const head = this.#pending[0]
    // Whoever calls from within a callback of #over finds the wait begun when that is done.
    if (this.#waiting || this.#serving || !head) return
    const failed = this.#wait.begin(head.bytes, head.offset, head.count, (...outcome) =>
      this.#over(...outcome),
    )
    this.#waiting = true
    if (failed) process.nextTick(() => this.#over(failed, this.#driver.waitCall))
    this.updateKeepAlive()
  }

  #over(status: number, syscall = this.#driver.sendCall): void {
    this.#waiting = false
    this.#serving = true
    if (status > 0) this.#advance(status)
    else if (status === -errno.ECANCELED) this.#finishHead(this.#pending[0]?.reason as Error)
    else if (status < 0) this.#finishHead(this.#driver.error(status, syscall))
    this.#drain()
    this.#serving = false
    this.#begin()
    for (const done of this.#whenIdle.splice(0)) done()
  }

  /** Sends until the queue is full again. */
  #drain(): void {
    for (let head = this.#pending[0]; head; head = this.#pending[0]) {
      if (head.reason) {
        this.#finishHead(head.reason)
        continue
      }
      const sent = this.#driver.send(head.bytes, head.offset, head.count)
      if (sent === -errno.EAGAIN) return
      if (sent < 0) this.#finishHead(this.#driver.error(sent, this.#driver.sendCall))
      else this.#advance(sent)
    }
  }

  #advance(sent: number): void {
    const head = this.#pending[0] as Pending
    head.count -= sent
    if (head.count === 0) return this.#finishHead(null)
    for (let i = 0; i < sent; i++) head.offset = nextRecord(head.bytes, head.offset)
  }

  #finishHead(error: Error | null): void {
    const head = this.#pending.shift()
    if (!head) return
    head.from.recycle(head.bytes)
    head.done(error)
  }
}
