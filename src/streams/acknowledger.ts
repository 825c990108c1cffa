/**
 * Ack mode: the queue itself is the journal. Messages are peeked at (`MSG_COPY`) and handed over; each
 * leaves the kernel when it is acknowledged. A consumer that dies, by `kill -9` too, loses nothing.
 *
 * The kernel removes by type, oldest first. With one consumer that is the acknowledged message, if
 * those of one type are acknowledged in order: an acknowledgement that comes early waits for the ones
 * before it.
 */
import type { Channel } from '../drivers/channel.js'
import type { MessageWait, Selector } from '../drivers/driver.js'
import { framesLost, putBack } from '../drivers/put-back.js'
import type { Waiter } from '../drivers/receiver.js'
import { inbox, type Taken } from '../drivers/records.js'
import type { SysVDriver } from '../drivers/sysv-driver.js'
import { errno, QueueError } from '../errors.js'
import { AckFrame, type Frame } from '../frame.js'
import type { Supply } from './supply.js'
import { proceed } from './turn.js'

/** While unacknowledged messages stay in the queue, the kernel cannot wait for those behind them. */
const POLL_FIRST_MS = 1
const POLL_LAST_MS = 16

/** Queues with an acknowledger in this thread: one consumer a queue. */
const consumed = new Set<number>()

/** A message that was handed over and is still in the queue. */
interface Outstanding {
  readonly length: number
  acknowledged: boolean
  removed: boolean
}

export class Acknowledger implements Supply {
  readonly #channel: Channel<SysVDriver>
  readonly #driver: SysVDriver
  readonly #selector: Selector
  readonly #limit: number
  readonly #wait: MessageWait
  /** Of each type, in the queue's order. */
  readonly #outstanding = new Map<number | bigint, Outstanding[]>()
  #count = 0
  /** The position behind the last message peeked at. Positions count all types. */
  #position = 0
  /** What the next peek expects a message to be at most: the kernel's cost grows with it. */
  #longest = 256
  /** Who received last, as far as we know: anybody else disturbs us. */
  #lastReceiver: number
  #empties = new Set<Frame>()
  #waiter: Waiter | undefined
  #waiting = false
  #whenIdle: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #pollMs = POLL_FIRST_MS
  #retrying = false
  #error: Error | undefined
  #released = false

  constructor(channel: Channel<SysVDriver>, selector: Selector, highWaterMark: number) {
    this.#channel = channel
    this.#driver = channel.driver
    if (consumed.has(this.#driver.id)) {
      throw new QueueError('EBUSY', {
        address: this.#driver.address,
        message: 'a reader with ack is there already: one consumer a queue',
      })
    }
    this.#selector = selector
    this.#limit = Math.max(1, highWaterMark)
    this.#wait = this.#driver.waitForMessage(selector)
    this.#lastReceiver = this.#driver.stat().lastReceivePid
    consumed.add(this.#driver.id)
  }

  take(max: number, bigint: boolean): Taken {
    if (this.#error) throw this.#error
    const frames: Frame[] = []
    const wanted = Math.min(max, this.#limit - this.#count)
    while (frames.length < wanted) {
      const index = this.#position
      const taken = inbox.take(this.#longest, bigint, (slab, offset) =>
        this.#driver.peek(slab, offset, wanted - frames.length, index, this.#longest),
      )
      if (typeof taken === 'number') {
        if (taken === -errno.ENOMSG) break
        // Longer than expected, or else the queue is gone.
        if (taken === -errno.EINVAL && this.#longest < this.#driver.longest()) {
          this.#longest = Math.min(this.#longest * 4, this.#driver.longest())
          continue
        }
        throw this.#driver.error(taken, this.#driver.receiveCall)
      }
      for (const frame of taken.frames) {
        this.#position++
        if (this.#matches(frame.type)) frames.push(this.#handOver(frame))
      }
      // What cannot be handed over was not taken either.
      if (taken.error) return { frames, error: taken.error }
    }
    return { frames }
  }

  #matches(type: number | bigint): boolean {
    const { type: wanted, except } = this.#selector
    // Not ===: one may be a bigint.
    // biome-ignore lint/suspicious/noDoubleEquals: 1 == 1n
    return wanted === 0 || (type == wanted) !== except
  }

  #handOver(frame: Frame): AckFrame {
    const entry = { length: frame.data.length, acknowledged: false, removed: false }
    const list = this.#outstanding.get(frame.type)
    if (list) list.push(entry)
    else this.#outstanding.set(frame.type, [entry])
    this.#count++
    return new AckFrame(frame.type, frame.data, () => this.#acknowledge(frame.type, entry))
  }

  #acknowledge(type: number | bigint, entry: Outstanding): boolean {
    if (entry.acknowledged) return true
    if (this.#released || this.#channel.closed || this.#error) return false
    entry.acknowledged = true
    const list = this.#outstanding.get(type) as Outstanding[]
    for (let oldest = list[0]; oldest?.acknowledged; oldest = list[0]) {
      if (!this.#remove(type, oldest)) return false
      list.shift()
    }
    if (list.length === 0) this.#outstanding.delete(type)
    this.#retry()
    return true
  }

  #remove(type: number | bigint, { length }: Outstanding): boolean {
    const removed = this.#driver.acknowledge(type, length, this.#lastReceiver)
    if (removed < 0) {
      this.#error =
        removed === -errno.EBUSY
          ? new QueueError('ERR_ACK_CONFLICT', {
              address: this.#driver.address,
              hint: 'a reader with ack must be the only consumer of its queue',
            })
          : this.#driver.error(removed, this.#driver.receiveCall)
      this.#retry()
      return false
    }
    this.#lastReceiver = process.pid
    this.#count--
    this.#position--
    return true
  }

  wait(waiter: Waiter): void {
    this.#waiter = waiter
    this.#pollMs = POLL_FIRST_MS
    this.#await()
  }

  #await(): void {
    if (!this.#waiter || this.#waiting) return
    if (this.#count > 0) {
      // With all that it may hold in its hands, only an acknowledgement helps.
      if (this.#count < this.#limit) this.#poll()
      return
    }
    const failed = this.#wait.begin((status, frame) => this.#over(status, frame))
    if (failed) {
      process.nextTick(() => this.#fail(this.#driver.error(failed, this.#driver.waitCall)))
      return
    }
    this.#waiting = true
    this.updateKeepAlive()
  }

  #poll(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#serve(), this.#pollMs)
    this.#pollMs = Math.min(this.#pollMs * 2, POLL_LAST_MS)
    this.updateKeepAlive()
  }

  #over(status: number, empty: Frame | undefined): void {
    this.#waiting = false
    if (status < 0 && status !== -errno.ECANCELED) {
      this.#fail(this.#driver.error(status, this.#driver.receiveCall))
    } else if (empty) {
      this.#handOverEmpty(empty)
    } else {
      this.#serve()
    }
    for (const done of this.#whenIdle.splice(0)) done()
  }

  // The kernel gave an empty message to the wait itself: it is not in the queue any more.
  #handOverEmpty({ type, data }: Frame): void {
    this.#lastReceiver = this.#driver.stat().lastReceivePid
    const frame = new AckFrame(this.#waiter?.bigint ? type : Number(type), data, () => true)
    const waiter = this.#takeWaiter()
    if (waiter) {
      this.#empties.add(frame)
      waiter.deliver([frame])
      return
    }
    const lost = putBack(this.#driver, [frame])
    if (lost.length > 0) throw framesLost(this.#driver, lost)
  }

  // Acknowledgements come in bursts: look once for all of them.
  #retry(): void {
    if (!this.#waiter || this.#waiting || this.#retrying) return
    this.#retrying = true
    proceed(() => {
      this.#retrying = false
      this.#serve()
    })
  }

  #serve(): void {
    if (!this.#waiter || this.#waiting) return
    let taken: Taken
    try {
      taken = this.take(this.#waiter.max(), this.#waiter.bigint)
    } catch (error) {
      this.#fail(error as Error)
      return
    }
    if (taken.frames.length === 0 && !taken.error) return this.#await()
    this.settle(this.#takeWaiter() as Waiter, taken)
  }

  settle(waiter: Waiter, taken: Taken): void {
    if (taken.frames.length > 0) waiter.deliver(taken.frames)
    if (taken.error) waiter.fail(taken.error)
  }

  #takeWaiter(): Waiter | undefined {
    const waiter = this.#waiter
    this.#waiter = undefined
    clearTimeout(this.#timer)
    return waiter
  }

  #fail(error: Error): void {
    this.#takeWaiter()?.fail(error)
  }

  cancel(_waiter: Waiter, done: () => void): void {
    this.#takeWaiter()
    if (!this.#waiting) return done()
    this.#whenIdle.push(done)
    this.#wait.cancel()
  }

  updateKeepAlive(): void {
    const keep = this.#channel.liveness.keep && (this.#waiter?.keepAlive ?? false)
    if (this.#waiting) this.#wait.keepAlive(keep)
    if (keep) this.#timer?.ref()
    else this.#timer?.unref()
  }

  /** All but the empty ones that ended a wait are in the queue still. */
  release(frames: Frame[], ended: boolean): Frame[] {
    consumed.delete(this.#driver.id)
    this.#released = !ended
    return putBack(
      this.#driver,
      frames.filter((frame) => this.#empties.has(frame)),
    )
  }
}
