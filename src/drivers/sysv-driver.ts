/** System V queues: calls by identifier, and waits on threads of the addon's. */
import { native, type PumpedQueue, type SysVStat } from '../binding/native.js'
import { errno, errnoName, QueueError } from '../errors.js'
import { Frame } from '../frame.js'
import {
  type Driver,
  MAX_BYTE_MESSAGE,
  type MessageWait,
  type RoomWait,
  type Selector,
} from './driver.js'
import { noThread, sysvLengthHint } from './hints.js'
import { readLimit } from './proc.js'
import { dataLength, joinType, longestOf } from './records.js'

/** A queue may shrink under a sender that waits: how often to look whether its message still fits. */
const FIT_CHECK_MS = 200

export class SysVDriver implements Driver {
  readonly kind = 'sysv'
  readonly sendCall = 'msgsnd'
  readonly receiveCall = 'msgrcv'
  readonly waitCall = 'pthread_create'
  #longest: number
  #maxMessageSize: number
  #maxBytes: number
  readonly #reads: boolean
  readonly #writes: boolean

  constructor(
    readonly id: number,
    readonly address: string,
    access: 'read' | 'write' | 'read-write',
  ) {
    this.#reads = access !== 'write'
    this.#writes = access !== 'read'
    this.#longest = readLimit('kernel.msgmax')
    this.#maxMessageSize = this.#maxBytes = this.#longest
    this.refresh()
  }

  send(slab: Uint8Array, offset: number, count: number): number {
    return this.#writes ? this.putBack(slab, offset, count) : -errno.EBADF
  }

  putBack(slab: Uint8Array, offset: number, count: number): number {
    return native.sysv.send(this.id, slab, offset, count)
  }

  receive(slab: Uint8Array, offset: number, max: number, selector: Selector): number {
    if (!this.#reads) return -errno.EBADF
    const { type, except } = selector
    const taken = native.sysv.receive(this.id, slab, offset, max, type, except)
    return taken === -errno.ENOMSG ? -errno.EAGAIN : taken
  }

  /** Copies of the messages from a position on, which stay where they are; none longer than `longest`. */
  peek(slab: Uint8Array, offset: number, max: number, index: number, longest: number): number {
    return this.#reads ? native.sysv.peek(this.id, slab, offset, max, index, longest) : -errno.EBADF
  }

  /**
   * Removes the oldest message of a type if it has the length expected, and nobody but the process
   * `receiver` has received since: EBUSY otherwise, or the data of a wrong message that could not be
   * sent back.
   */
  acknowledge(type: number | bigint, length: number, receiver: number): number | Buffer {
    return native.sysv.acknowledge(this.id, type, length, receiver)
  }

  /** All of `IPC_STAT`; msgctl(2). */
  stat(): SysVStat {
    const stat = native.sysv.stat(this.id)
    if (typeof stat === 'number') throw this.error(stat, 'msgctl')
    return stat
  }

  /** `msg_lrpid`; undefined where the queue is gone. */
  lastReceiver(): number | undefined {
    const stat = native.sysv.stat(this.id)
    return typeof stat === 'number' ? undefined : stat.lastReceivePid
  }

  longest(): number {
    return this.#longest
  }

  // msgmax has been raised since, or was higher when the message was sent.
  grow(): void {
    this.#longest = Math.max(this.#longest * 2, readLimit('kernel.msgmax'))
  }

  get maxMessageSize(): number {
    return this.#maxMessageSize
  }

  /** Reads the limits again: msgmax and msg_qbytes may change at any time. */
  refresh(): void {
    const msgmax = readLimit('kernel.msgmax')
    this.#maxBytes = this.#readMaxBytes() ?? msgmax
    this.#maxMessageSize = Math.min(msgmax, this.#maxBytes)
  }

  // IPC_STAT takes read permission; what lists all queues does not.
  #readMaxBytes(): number | undefined {
    const stat = native.sysv.stat(this.id)
    if (typeof stat !== 'number') return stat.maxBytes
    const queues = native.sysv.list()
    if (typeof queues === 'number') return undefined
    return queues.find(({ id }) => id === this.id)?.maxBytes
  }

  // A message above msg_qbytes would block for ever, even on an empty queue.
  checkLength(length: number): void {
    if (length <= this.#maxMessageSize) return
    this.refresh()
    if (length > this.#maxMessageSize) throw this.#tooLong(length)
  }

  #tooLong(length: number): QueueError {
    const { sendCall: syscall, address } = this
    const hint = sysvLengthHint(length, this.#maxBytes)
    return new QueueError('EMSGSIZE', { syscall, address, hint })
  }

  // A queue of the default size takes only two of its longest messages: with four, one side can work
  // while the other does.
  get byteMessageSize(): number {
    return Math.max(1, Math.min(this.#maxMessageSize, this.#maxBytes >> 2, MAX_BYTE_MESSAGE))
  }

  pumped(type: number | bigint, except = false): PumpedQueue {
    return { id: this.id, type, except }
  }

  whenShrunk(length: number, callback: () => void): NodeJS.Timeout {
    const check = () => {
      this.refresh()
      if (length > this.#maxMessageSize) callback()
    }
    return setInterval(check, FIT_CHECK_MS).unref()
  }

  waitForMessage(selector: Selector): MessageWait {
    const wait = new native.SysVWait()
    return {
      begin: (done) => {
        if (!this.#reads) return -errno.EBADF
        wait.ondone = (status, low, high, threadless) => {
          if (status === 1) done(0, new Frame(joinType(low, high, true), Buffer.alloc(0)))
          else done(status, undefined, threadless ? this.waitCall : this.receiveCall)
        }
        return wait.forMessage(this.id, selector.type, selector.except)
      },
      cancel: () => wait.cancel(),
      keepAlive: (keep) => wait.keepAlive(keep),
    }
  }

  waitForRoom(): RoomWait {
    const wait = new native.SysVWait()
    return {
      begin: (slab, offset, count, done) => {
        const longest = longestOf(slab, offset, count)
        let tooLong = false
        const check = this.whenShrunk(longest, () => {
          tooLong = true
          wait.cancel()
        })
        wait.ondone = (status, _low, _high, threadless) => {
          clearInterval(check)
          const shrunk = status === -errno.ECANCELED && tooLong
          // A longer one behind the first is not its fault.
          const fits = dataLength(slab, offset) <= this.#maxMessageSize
          const outcome = shrunk ? (fits ? 0 : -errno.EMSGSIZE) : status
          done(outcome, threadless ? this.waitCall : this.sendCall)
        }
        const failed = wait.forRoom(this.id, slab, offset, count)
        if (failed) clearInterval(check)
        return failed
      },
      cancel: () => wait.cancel(),
      keepAlive: (keep) => wait.keepAlive(keep),
    }
  }

  /** A stale identifier is EINVAL, or EIDRM on older kernels and for those who wait: both mean gone. */
  error(failed: number, syscall: string): QueueError {
    const code = errnoName(-failed)
    const { address } = this
    if (code === 'EINVAL') {
      const stat = native.sysv.stat(this.id)
      const gone = stat === -errno.EINVAL || stat === -errno.EIDRM
      if (gone) return new QueueError('EIDRM', { syscall, address })
      // Nor does a call that takes messages mind their length: this one was to copy.
      if (syscall === this.receiveCall) {
        const msgmax = readLimit('kernel.msgmax')
        const hint = `a message from before kernel.msgmax was lowered to ${msgmax} may be longer than it: it cannot be looked at, only taken`
        return new QueueError(code, { syscall, address, hint })
      }
    }
    // All else was checked, so the message was longer than msgmax, lowered since.
    if (syscall === this.sendCall && (code === 'EINVAL' || code === 'EMSGSIZE')) {
      this.refresh()
      return this.#tooLong(this.#maxMessageSize + 1)
    }
    if (syscall === this.waitCall) return new QueueError(code, { syscall, address, ...noThread })
    return new QueueError(code, { syscall, address })
  }

  // The identifier is a number: there is nothing to give back.
  close(): void {}
}
