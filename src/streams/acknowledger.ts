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
import { putBack } from '../drivers/put-back.js'
import type { Waiter } from '../drivers/receiver.js'
import { inbox, type Taken, unsafeType } from '../drivers/records.js'
import type { SysVDriver } from '../drivers/sysv-driver.js'
import { errno, QueueError } from '../errors.js'
import { AckFrame, Frame } from '../frame.js'
import type { Supply } from './supply.js'
import { proceed } from './turn.js'

/** While unacknowledged messages stay in the queue, the kernel cannot wait for those behind them. */
const POLL_FIRST_MS = 1
const POLL_LAST_MS = 16

/**
 * The acknowledger of each queue in this thread, by identifier: one consumer a queue. Held weakly: one
 * whose stream has ended lives as long as the frames that it handed over, acknowledged or not.
 */
const consumers = new Map<number, WeakRef<Acknowledger>>()
const collected = new FinalizationRegistry<number>((id) => {
  if (!consumers.get(id)?.deref()) consumers.delete(id)
})

/** A message that was handed over and is still in the queue. */
interface Outstanding {
  readonly length: number
  acknowledged: boolean
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
  /** Empty messages that ended a wait, not acknowledged: they are in our hands, not in the queue. */
  readonly #empties = new Set<Frame>()
  /** What is in our hands, to nobody's use, and found no room in the queue so far. */
  readonly #homeless: Frame[] = []
  #waiter: Waiter | undefined
  #waiting = false
  #whenIdle: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #pollMs = POLL_FIRST_MS
  #retrying = false
  #error: Error | undefined
  /** The stream is gone. After its end what it handed over may still be acknowledged. */
  #over = false
  #refusing = false

  constructor(channel: Channel<SysVDriver>, selector: Selector, highWaterMark: number) {
    this.#channel = channel
    this.#driver = channel.driver
    const predecessor = consumers.get(this.#driver.id)?.deref()
    if (predecessor && !predecessor.#over) {
      throw new QueueError('EBUSY', {
        address: this.#driver.address,
        message: 'a reader with ack is there already: one consumer a queue',
      })
    }
    this.#selector = selector
    this.#limit = Math.max(1, highWaterMark)
    this.#wait = this.#driver.waitForMessage(selector)
    this.#lastReceiver = this.#driver.stat().lastReceivePid
    // What its stream left unacknowledged at its end is ours now.
    if (predecessor) predecessor.#refusing = true
    consumers.set(this.#driver.id, new WeakRef(this))
    collected.register(this, this.#driver.id)
  }

  take(max: number, bigint: boolean): Taken {
    if (this.#error) throw this.#error
    const frames: Frame[] = []
    const wanted = Math.min(max, this.#room())
    while (frames.length < wanted) {
      const taken = this.#peek(wanted - frames.length, bigint)
      if (!taken) break
      for (const frame of taken.frames) {
        this.#position++
        if (this.#matches(frame.type)) frames.push(this.#handOver(frame))
      }
      const unsafe = taken.rest?.[0]
      if (!unsafe) continue
      if (!this.#matches(unsafe.type)) this.#position++
      // What stands before it is handed over first.
      else if (frames.length > 0) break
      else throw taken.error
    }
    return { frames }
  }

  /** Undefined behind the last message. */
  #peek(max: number, bigint: boolean): Taken | undefined {
    for (;;) {
      const longest = this.#longest
      const taken = inbox.take(longest, bigint, (slab, offset) =>
        this.#driver.peek(slab, offset, max, this.#position, longest),
      )
      if (typeof taken !== 'number') return taken
      if (taken === -errno.ENOMSG) return undefined
      if (taken !== -errno.E2BIG) throw this.#driver.error(taken, this.#driver.receiveCall)
      this.#longest *= 4
    }
  }

  #matches(type: number | bigint): boolean {
    const { type: wanted, except } = this.#selector
    // Not ===: one may be a bigint.
    // biome-ignore lint/suspicious/noDoubleEquals: 1 == 1n
    return wanted === 0 || (type == wanted) !== except
  }

  #handOver(frame: Frame): AckFrame {
    const entry = { length: frame.data.length, acknowledged: false }
    const list = this.#outstanding.get(frame.type)
    if (list) list.push(entry)
    else this.#outstanding.set(frame.type, [entry])
    this.#count++
    return new AckFrame(frame.type, frame.data, () => this.#acknowledge(frame.type, entry))
  }

  #acknowledge(type: number | bigint, entry: Outstanding): boolean {
    if (entry.acknowledged) return true
    if (this.#refuses()) return false
    entry.acknowledged = true
    const list = this.#outstanding.get(type) as Outstanding[]
    for (let oldest = list[0]; oldest?.acknowledged; oldest = list[0]) {
      if (!this.#remove(type, oldest)) {
        entry.acknowledged = false
        return false
      }
      list.shift()
    }
    if (list.length === 0) this.#outstanding.delete(type)
    if (this.#over && this.#count === 0) this.#resign()
    this.#retry()
    return true
  }

  #refuses(): boolean {
    return this.#refusing || this.#channel.closed || this.#error !== undefined
  }

  #remove(type: number | bigint, { length }: Outstanding): boolean {
    const removed = this.#driver.acknowledge(type, length, this.#lastReceiver)
    if (removed === 1) {
      this.#lastReceiver = process.pid
      this.#count--
      this.#position--
      return true
    }
    const another = typeof removed !== 'number'
    if (another) this.#homeless.push(new Frame(type, removed))
    this.#error =
      another || removed === -errno.EBUSY
        ? new QueueError('ERR_ACK_CONFLICT', {
            address: this.#driver.address,
            hint: 'a reader with ack must be the only consumer of its queue',
          })
        : this.#driver.error(removed, this.#driver.receiveCall)
    this.#retry()
    return false
  }

  wait(waiter: Waiter): void {
    this.#waiter = waiter
    this.#pollMs = POLL_FIRST_MS
    this.#await()
  }

  #await(): void {
    if (!this.#waiter || this.#waiting) return
    // With all that it may hold in its hands, only an acknowledgement helps.
    if (this.#room() === 0) return
    if (this.#count > 0) return this.#poll()
    const failed = this.#wait.begin((...outcome) => this.#waited(...outcome))
    if (failed) {
      process.nextTick(() => this.#fail(this.#driver.error(failed, this.#driver.waitCall)))
      return
    }
    this.#waiting = true
    this.updateKeepAlive()
  }

  /** How many more may be handed over. */
  #room(): number {
    return this.#limit - this.#count - this.#empties.size
  }

  #poll(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#serve(), this.#pollMs)
    this.#pollMs = Math.min(this.#pollMs * 2, POLL_LAST_MS)
    this.updateKeepAlive()
  }

  #waited(status: number, empty?: Frame, call = this.#driver.receiveCall): void {
    this.#waiting = false
    if (status < 0 && status !== -errno.ECANCELED) {
      this.#fail(this.#driver.error(status, call))
    } else if (empty) {
      this.#handOverEmpty(empty)
    } else {
      this.#serve(status === 0)
    }
    for (const done of this.#whenIdle.splice(0)) done()
  }

  // The kernel gave an empty message to the wait itself: it is not in the queue any more.
  #handOverEmpty({ type, data }: Frame): void {
    // The kernel names the waiting thread as the receiver. Where it cannot tell, the next call will.
    this.#lastReceiver = this.#driver.lastReceiver() ?? this.#lastReceiver
    const waiter = this.#takeWaiter()
    const unsafe = waiter?.bigint === false && type > Number.MAX_SAFE_INTEGER
    if (!waiter || unsafe) {
      this.#homeless.push(...putBack(this.#driver, [new Frame(type, data)]))
      if (unsafe) waiter.fail(unsafeType(type))
      return
    }
    let acknowledged = false
    const frame: AckFrame = new AckFrame(waiter.bigint ? type : Number(type), data, () => {
      acknowledged ||= !this.#refuses() && this.#empties.delete(frame)
      this.#retry()
      return acknowledged
    })
    this.#empties.add(frame)
    waiter.deliver([frame])
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

  /** `expected`: the kernel says that there is a message. */
  #serve(expected = false): void {
    if (!this.#waiter || this.#waiting) return
    let taken: Taken
    try {
      taken = this.take(this.#waiter.max(), this.#waiter.bigint)
      if (taken.frames.length === 0 && expected) {
        // Somebody has removed messages that we had passed over.
        this.#position = 0
        taken = this.take(this.#waiter.max(), this.#waiter.bigint)
      }
    } catch (error) {
      this.#fail(error as Error)
      return
    }
    if (taken.frames.length === 0) return this.#await()
    this.settle(this.#takeWaiter() as Waiter, taken)
  }

  settle(waiter: Waiter, { frames }: Taken): void {
    waiter.deliver(frames)
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

  /** Unread frames are in the queue still, all but the empty ones that ended a wait. */
  release(_frames: Frame[], ended: boolean): Frame[] {
    this.#over = true
    this.#refusing ||= !ended
    if (this.#refusing || this.#count === 0) this.#resign()
    const homeless = this.#homeless.splice(0)
    if (this.#refusing) homeless.push(...this.#empties)
    if (this.#refusing) this.#empties.clear()
    return putBack(this.#driver, homeless)
  }

  #resign(): void {
    if (consumers.get(this.#driver.id)?.deref() === this) consumers.delete(this.#driver.id)
  }
}
