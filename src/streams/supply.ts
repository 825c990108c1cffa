/** Where an intake gets its frames: straight from the queue, or by peeking, to be acknowledged. */
import type { Channel } from '../drivers/channel.js'
import type { Selector } from '../drivers/driver.js'
import { putBack } from '../drivers/put-back.js'
import type { Waiter } from '../drivers/receiver.js'
import type { Taken } from '../drivers/records.js'
import type { Frame } from '../frame.js'

export interface Supply {
  take(max: number, bigint: boolean): Taken
  /** `deliver` or `fail` of the waiter is called once, later, unless it is cancelled. */
  wait(waiter: Waiter): void
  /** `done` is called when the kernel does not wait for it any more. */
  cancel(waiter: Waiter, done: () => void): void
  /** Hands over what was taken. */
  settle(waiter: Waiter, taken: Taken): void
  updateKeepAlive(): void
  /**
   * The stream has gone without handing these frames over; returns what could not be put back.
   * `ended`: it came to its end, and all its frames are in the consumer's hands.
   */
  release(frames: Frame[], ended: boolean): Frame[]
}

export function directSupply(channel: Channel, selector: Selector): Supply {
  const receiver = () => channel.receiver(selector)
  return {
    take: (max, bigint) => receiver().take(max, bigint),
    wait: (waiter) => receiver().wait(waiter),
    cancel: (waiter, done) => receiver().cancel(waiter, done),
    settle: (waiter, taken) => receiver().settle(waiter, taken),
    updateKeepAlive: () => receiver().updateKeepAlive(),
    release: (frames) => putBack(channel.driver, frames),
  }
}
