/** POSIX queues: a descriptor, polled on the event loop. */
import { constants, openSync } from 'node:fs'
import {
  type PosixQueue as NativeQueue,
  native,
  type PosixAttributes,
  type PumpedQueue,
} from '../binding/native.js'
import { errno, errnoName, QueueError } from '../errors.js'
import {
  type Driver,
  MAX_BYTE_MESSAGE,
  type MessageWait,
  type RoomWait,
  type Selector,
} from './driver.js'
import { posixLengthHint } from './hints.js'

type Over = (status: number, call?: string) => void

/** One of the two waits of a queue. */
class Side {
  keep = true
  /** Set while it waits. */
  over: Over | undefined

  end(): Over | undefined {
    const { over } = this
    this.over = undefined
    return over
  }
}

export class PosixDriver implements Driver {
  readonly kind = 'posix'
  readonly sendCall = 'mq_send'
  readonly receiveCall = 'mq_receive'
  readonly waitCall = 'epoll_ctl'
  readonly maxMessageSize: number
  readonly maxMessages: number
  readonly #queue: NativeQueue
  readonly #message = new Side()
  readonly #room = new Side()
  #keepsAlive = true

  constructor(
    readonly fd: number,
    readonly address: string,
    readonly shared: boolean,
  ) {
    this.#queue = new native.PosixQueue(fd, shared)
    const { maxMessages, maxMessageSize } = this.attributes()
    this.maxMessages = maxMessages
    this.maxMessageSize = maxMessageSize
    this.#queue.onmessage = (status) => this.#message.end()?.(status, this.waitCall)
    this.#queue.onroom = (status, unpolled) =>
      this.#room.end()?.(status, unpolled ? this.waitCall : this.sendCall)
  }

  attributes(): PosixAttributes {
    const attributes = native.posix.attributes(this.fd)
    if (typeof attributes === 'number') throw this.error(attributes, 'mq_getattr')
    return attributes
  }

  send(slab: Uint8Array, offset: number, count: number): number {
    return this.#queue.send(slab, offset, count)
  }

  // A descriptor open for reading alone sends nothing back. /proc opens the same queue once more,
  // also when its name is gone; if permission lacks, that is why the frames are lost.
  putBack(slab: Uint8Array, offset: number, count: number): number {
    const sent = this.#queue.send(slab, offset, count)
    if (sent !== -errno.EBADF) return sent
    let fd: number
    try {
      fd = openSync(`/proc/self/fd/${this.fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (error) {
      return (error as NodeJS.ErrnoException).errno ?? -errno.EBADF
    }
    const writer = new native.PosixQueue(fd, false)
    const written = writer.send(slab, offset, count)
    writer.close()
    return written
  }

  receive(slab: Uint8Array, offset: number, max: number): number {
    return this.#queue.receive(slab, offset, max)
  }

  longest(): number {
    return this.maxMessageSize
  }

  // mq_msgsize is fixed for the queue's life.
  grow(): void {}

  checkLength(length: number): void {
    if (length <= this.maxMessageSize) return
    throw new QueueError('EMSGSIZE', {
      syscall: this.sendCall,
      address: this.address,
      hint: posixLengthHint(length, this.maxMessageSize),
    })
  }

  // The number of messages is fixed: the longer each, the more the queue holds.
  get byteMessageSize(): number {
    return Math.min(this.maxMessageSize, MAX_BYTE_MESSAGE)
  }

  pumped(type: number | bigint): PumpedQueue {
    return { fd: this.fd, shared: this.shared, type }
  }

  // mq_msgsize is fixed for the queue's life.
  whenShrunk(): undefined {}

  waitForMessage(_selector: Selector): MessageWait {
    const queue = this.#queue
    return {
      begin: (done) =>
        this.#begin(this.#message, queue.forMessage(), (status, call) =>
          done(status, undefined, call),
        ),
      cancel: () => {
        queue.cancelMessage()
        this.#cancel(this.#message, -errno.ECANCELED)
      },
      keepAlive: (keep) => this.#keepAlive(this.#message, keep),
    }
  }

  waitForRoom(): RoomWait {
    const queue = this.#queue
    return {
      begin: (slab, offset, count, done) =>
        this.#begin(this.#room, queue.forRoom(slab, offset, count), done),
      cancel: () => this.#cancel(this.#room, queue.cancelRoom() || -errno.ECANCELED),
      keepAlive: (keep) => this.#keepAlive(this.#room, keep),
    }
  }

  #begin(side: Side, failed: number, over: Over): number {
    if (failed) return failed
    side.over = over
    this.#updateKeepAlive()
    return 0
  }

  #cancel(side: Side, status: number): void {
    const over = side.end()
    this.#updateKeepAlive()
    if (over) process.nextTick(over, status)
  }

  #keepAlive(side: Side, keep: boolean): void {
    side.keep = keep
    this.#updateKeepAlive()
  }

  // One descriptor, one poll: it keeps the process alive if any of those who wait does.
  #updateKeepAlive(): void {
    const keep = [this.#message, this.#room].some((side) => side.over && side.keep)
    if (keep !== this.#keepsAlive) this.#queue.keepAlive(keep)
    this.#keepsAlive = keep
  }

  error(failed: number, syscall: string): QueueError {
    return new QueueError(errnoName(-failed), { syscall, address: this.address })
  }

  close(): void {
    this.#queue.close()
  }
}
