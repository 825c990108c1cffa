/** Those who wait for messages of one selector: served in the order in which they came. */
import { errno } from '../errors.js'
import { Frame } from '../frame.js'
import type { Driver, Liveness, MessageWait, Selector } from './driver.js'
import { framesLost, putBack } from './put-back.js'
import { type Inbox, inbox, isSafeType, type Taken, unsafeType } from './records.js'

export interface Waiter {
  /** How many messages it takes at most, asked when there are some. */
  max(): number
  bigint: boolean
  /** Whether waiting keeps the process alive. */
  keepAlive: boolean
  deliver(frames: Frame[]): void
  fail(error: Error): void
}

export class Receiver {
  readonly #driver: Driver
  readonly #liveness: Liveness
  readonly #selector: Selector
  /** Made when first needed: who only tries needs none. */
  #wait: MessageWait | undefined
  readonly #waiters: Waiter[] = []
  /** Called when the kernel wait, cancelled or not, is over. */
  readonly #whenIdle: (() => void)[] = []
  #waiting = false
  #serving = false
  // An empty message that ended a wait: the kernel did not leave it in the queue.
  #taken: Frame | undefined

  constructor(driver: Driver, selector: Selector, liveness: Liveness) {
    this.#driver = driver
    this.#liveness = liveness
    this.#selector = selector
  }

  /** Whether nobody would miss it. */
  get idle(): boolean {
    return this.#waiters.length === 0 && !this.#waiting && this.#taken === undefined
  }

  /** Takes what is there, up to `max`, out of turn; no frames where nothing is. */
  takeNow(max: number, bigint: boolean, into: Inbox = inbox): Taken {
    if (this.#taken) return this.#takeEmpty(bigint)
    const driver = this.#driver
    for (;;) {
      const taken = into.take(driver.longest(), bigint, (slab, offset) =>
        driver.receive(slab, offset, max, this.#selector),
      )
      if (typeof taken !== 'number') return taken
      if (taken === -errno.EAGAIN) return { frames: [] }
      if (taken !== -errno.E2BIG) throw driver.error(taken, driver.receiveCall)
      driver.grow()
    }
  }

  /** The same for whoever comes back for more: nothing while others wait. */
  take(max: number, bigint: boolean): Taken {
    return this.#waiters.length > 0 ? { frames: [] } : this.takeNow(max, bigint)
  }

  /** `deliver` or `fail` of the waiter is called once, later, unless it is cancelled. */
  wait(waiter: Waiter): void {
    this.#waiters.push(waiter)
    this.#begin()
  }

  /** `done` is called when the kernel does not wait for this one any more. */
  cancel(waiter: Waiter, done: () => void = () => {}): void {
    const index = this.#waiters.indexOf(waiter)
    if (index >= 0) this.#waiters.splice(index, 1)
    if (this.#waiting && this.#waiters.length === 0) {
      this.#whenIdle.push(done)
      this.#wait?.cancel()
    } else {
      this.updateKeepAlive()
      done()
    }
  }

  /** Fails all who wait. `done` gets the frames that it still holds and could not put back. */
  close(error: Error, done: (lost: Frame[]) => void): void {
    const waiters = this.#waiters.splice(0)
    const over = () => done(this.#taken ? putBack(this.#driver, [this.#taken]) : [])
    if (this.#waiting) {
      this.#whenIdle.push(over)
      this.#wait?.cancel()
    } else {
      over()
    }
    for (const waiter of waiters) waiter.fail(error)
  }

  updateKeepAlive(): void {
    if (!this.#waiting) return
    this.#wait?.keepAlive(this.#liveness.keep && this.#waiters.some((waiter) => waiter.keepAlive))
  }

  #begin(): void {
    // Whoever calls from within a callback of #over finds the wait begun when that is done.
    if (this.#serving || this.#waiters.length === 0) return
    if (!this.#waiting) this.#beginWait()
    this.updateKeepAlive()
  }

  #beginWait(): void {
    this.#waiting = true
    const kept = this.#taken
    if (kept) {
      process.nextTick(() => this.#over(0, kept))
      return
    }
    this.#wait ??= this.#driver.waitForMessage(this.#selector)
    const failed = this.#wait.begin((...outcome) => this.#over(...outcome))
    // Not at once: nobody expects to fail before the call has returned.
    if (failed) process.nextTick(() => this.#over(failed, undefined, this.#driver.waitCall))
  }

  #over(status: number, frame?: Frame, syscall = this.#driver.receiveCall): void {
    this.#waiting = false
    this.#serving = true
    this.#taken = frame
    if (status < 0 && status !== -errno.ECANCELED) this.#failAll(status, syscall)
    else this.#serve()
    this.#serving = false
    const empty = this.#taken
    // Where it cannot go back, it is kept for whoever receives next.
    if (empty && this.#waiters.length === 0 && putBack(this.#driver, [empty]).length === 0) {
      this.#taken = undefined
    }
    this.#begin()
    for (const done of this.#whenIdle.splice(0)) done()
  }

  #serve(): void {
    for (let waiter = this.#waiters[0]; waiter; waiter = this.#waiters[0]) {
      let taken: Taken
      try {
        taken = this.takeNow(waiter.max(), waiter.bigint)
      } catch (error) {
        this.#waiters.shift()
        waiter.fail(error as Error)
        continue
      }
      if (taken.frames.length === 0 && !taken.rest) return
      this.#waiters.shift()
      this.settle(waiter, taken)
    }
  }

  /** The same for one message at a time: the frame, if there was one. */
  handOver({ frames, rest, error }: Taken): Frame | undefined {
    if (!rest) return frames[0]
    const lost = putBack(this.#driver, rest)
    throw lost.length > 0 ? framesLost(this.#driver, lost, error) : error
  }

  /** Hands over what was taken; what cannot be goes back into the queue, and the waiter is told. */
  settle(waiter: Waiter, taken: Taken): void {
    const lost = taken.rest ? putBack(this.#driver, taken.rest) : []
    if (taken.frames.length > 0) waiter.deliver(taken.frames)
    if (lost.length > 0) waiter.fail(framesLost(this.#driver, lost, taken.error))
    else if (taken.error) waiter.fail(taken.error)
  }

  #takeEmpty(bigint: boolean): Taken {
    const { type, data } = this.#taken as Frame
    this.#taken = undefined
    const high = Number(BigInt(type) >> 32n)
    if (bigint) return { frames: [new Frame(BigInt(type), data)] }
    if (isSafeType(high)) return { frames: [new Frame(Number(type), data)] }
    return { frames: [], rest: [new Frame(type, data)], error: unsafeType(type) }
  }

  // An error each: a stream's says which frames it held.
  #failAll(status: number, syscall: string): void {
    for (const waiter of this.#waiters.splice(0)) waiter.fail(this.#driver.error(status, syscall))
  }
}
