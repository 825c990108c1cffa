/** POSIX queues: a descriptor, polled on the event loop. */
import { constants, openSync } from 'node:fs'
import {
  type PosixQueue as NativeQueue,
  native,
  type PosixAttributes,
  READABLE,
  WRITABLE,
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

interface Entry {
  event: number
  keep: boolean
  done: Parameters<MessageWait['begin']>[0] | undefined
}

function finish(entry: Entry, status: number, call?: string): void {
  const { done } = entry
  entry.done = undefined
  done?.(status, undefined, call)
}

export class PosixDriver implements Driver {
  readonly kind = 'posix'
  readonly sendCall = 'mq_send'
  readonly receiveCall = 'mq_receive'
  readonly waitCall = 'epoll_ctl'
  readonly maxMessageSize: number
  readonly maxMessages: number
  readonly #queue: NativeQueue
  readonly #waiting = new Set<Entry>()
  #keepsAlive = true

  constructor(
    readonly fd: number,
    readonly address: string,
    shared: boolean,
  ) {
    this.#queue = new native.PosixQueue(fd, shared)
    const { maxMessages, maxMessageSize } = this.attributes()
    this.maxMessages = maxMessages
    this.maxMessageSize = maxMessageSize
    this.#queue.onready = (status, events) => this.#ready(status, events)
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

  waitForMessage(_selector: Selector): MessageWait {
    return this.#wait(READABLE)
  }

  waitForRoom(): RoomWait {
    const wait = this.#wait(WRITABLE)
    return {
      ...wait,
      begin: (_slab, _offset, _count, done) => wait.begin((status, _, call) => done(status, call)),
    }
  }

  #wait(event: number): MessageWait {
    const entry: Entry = { event, keep: true, done: undefined }
    return {
      begin: (done) => {
        const failed = this.#queue.want(event)
        if (failed) return failed
        entry.done = done
        this.#waiting.add(entry)
        this.#updateKeepAlive()
        return 0
      },
      cancel: () => {
        if (!this.#waiting.delete(entry)) return
        if (![...this.#waiting].some((other) => other.event === event)) this.#queue.unwant(event)
        this.#updateKeepAlive()
        process.nextTick(() => finish(entry, -errno.ECANCELED))
      },
      keepAlive: (keep) => {
        entry.keep = keep
        this.#updateKeepAlive()
      },
    }
  }

  // One descriptor, one poll: it keeps the process alive if any of those who wait does.
  #updateKeepAlive(): void {
    let keep = false
    for (const entry of this.#waiting) keep ||= entry.keep
    if (keep !== this.#keepsAlive) this.#queue.keepAlive(keep)
    this.#keepsAlive = keep
  }

  #ready(status: number, events: number): void {
    const ready = [...this.#waiting].filter((entry) => entry.event & events)
    for (const entry of ready) this.#waiting.delete(entry)
    for (const entry of ready) finish(entry, status, this.waitCall)
  }

  error(failed: number, syscall: string): QueueError {
    return new QueueError(errnoName(-failed), { syscall, address: this.address })
  }

  close(): void {
    this.#queue.close()
  }
}
