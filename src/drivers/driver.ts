/** What a kind of queue must supply; everything above is the same for both. */
import type { PumpedQueue } from '../binding/native.js'
import type { QueueError } from '../errors.js'
import type { Frame } from '../frame.js'

/** Which messages: msgop(2)'s `msgtyp`, and `MSG_EXCEPT`. POSIX has only type 0, any. */
export interface Selector {
  type: number | bigint
  except: boolean
}

/** Longer messages carry no more bytes a second. */
export const MAX_BYTE_MESSAGE = 256 * 1024

/** Whether waiting on a handle keeps the process alive: shared by all that wait there. */
export interface Liveness {
  keep: boolean
}

/**
 * One wait for the kernel, off the JavaScript thread. `begin…` returns a negated errno if the wait
 * cannot be had; otherwise the callback is called exactly once, later, also after `cancel()`.
 */
export interface Wait {
  cancel(): void
  /** Whether this wait keeps the process alive. */
  keepAlive(keep: boolean): void
}

export interface MessageWait extends Wait {
  /**
   * `status` 0: a message may be there. Negative: an errno (-ECANCELED after `cancel()`). `frame`: an
   * empty message that the kernel would not leave in the queue.
   */
  begin(done: (status: number, frame?: Frame, call?: string) => void): number
}

export interface RoomWait extends Wait {
  /**
   * Waits until the first of `count` records from `offset` on fits. `status` 0: try again; positive: so
   * many were sent by the wait itself; negative: an errno, and none was.
   */
  begin(
    slab: Uint8Array,
    offset: number,
    count: number,
    done: (status: number, call?: string) => void,
  ): number
}

export interface Driver {
  readonly kind: 'posix' | 'sysv'
  readonly address: string
  /** The system calls behind send, receive and the beginning of a wait, for errors. */
  readonly sendCall: string
  readonly receiveCall: string
  readonly waitCall: string

  /** How many of `count` records went before the queue was full, or a negated errno. */
  send(slab: Uint8Array, offset: number, count: number): number
  /** How many messages were taken, or a negated errno (EAGAIN: none there). */
  receive(slab: Uint8Array, offset: number, max: number, selector: Selector): number
  /** The longest message that a receive must have room for; grown after E2BIG. */
  longest(): number
  grow(): void
  /** The longest message that can be sent now. */
  readonly maxMessageSize: number
  /** How long the messages are that carry a stream of bytes. */
  readonly byteMessageSize: number
  /** Throws EMSGSIZE for a message that the queue will never take. */
  checkLength(length: number): void

  /** The queue as a pump takes it: what it sends has this type. */
  pumped(type: number | bigint, except?: boolean): PumpedQueue
  /** Calls back, once or more, when the queue has been made too small for a length; undefined where none can be. */
  whenShrunk(length: number, callback: () => void): NodeJS.Timeout | undefined

  waitForMessage(selector: Selector): MessageWait
  waitForRoom(): RoomWait

  error(failed: number, syscall: string): QueueError
  /** The way of frames back into the queue: like send, also for a handle that only reads. */
  putBack(slab: Uint8Array, offset: number, count: number): number
  close(): void
}
