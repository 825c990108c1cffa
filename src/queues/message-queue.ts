/** One handle on an open queue: what both kinds share. */
import { checkData, type Data } from '../codecs.js'
import { QueueConsumer } from '../consumer.js'
import { Channel } from '../drivers/channel.js'
import type { Driver } from '../drivers/driver.js'
import { LinePump } from '../drivers/line-pump.js'
import type { Waiter } from '../drivers/receiver.js'
import type { Inbox } from '../drivers/records.js'
import {
  checkSelection,
  checkSendType,
  defaultSendType,
  type SelectionOptions,
} from '../drivers/selection.js'
import type { Sent } from '../drivers/sender.js'
import type { AckFrame, Frame, Received } from '../frame.js'
import { checkBoolean, checkOptions } from '../options.js'
import { Demultiplexer, type DemultiplexOptions } from '../streams/demultiplexer.js'
import { type DuplexOptions, QueueDuplex } from '../streams/duplex.js'
import { checkWritable, type ReadableOptions, type WritableOptions } from '../streams/options.js'
import { Outlet } from '../streams/outlet.js'
import { QueueReadable } from '../streams/readable.js'
import { QueueWritable } from '../streams/writable.js'
import type { Configuration, QueueStats } from './stats.js'
import { checkWaiting, type WaitOptions, waiting } from './waiting.js'

export interface SendOptions {
  /** System V 1 … 2⁶³−1 (default 1), POSIX priority 0 … 32767 (default 0). */
  type?: number | bigint
}

export interface ReceiveOptions<B extends boolean = boolean> extends SelectionOptions {
  /** The type as a bigint, exact above 2⁵³−1. Default `false`. */
  bigint?: B
}

/** What a reader yields, by its options. */
type FrameOf<O> = Received<
  O extends { bigint?: infer B } ? B : false,
  O extends { ack: true } ? AckFrame<DataOf<O>> : Frame<DataOf<O>>
>
type DataOf<O> = O extends { codec: 'utf8' }
  ? string
  : O extends { codec: 'json' }
    ? // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse
      any
    : O extends { codec: { decode(data: Buffer): infer T } }
      ? T
      : Buffer
type ChunkOf<O> = O extends { objectMode: false } ? Buffer : FrameOf<O>

const trySendNames = ['type'] as const
const sendNames = [...trySendNames, 'signal', 'timeout'] as const
const tryReceiveNames = ['type', 'except', 'bigint'] as const
const receiveNames = [...tryReceiveNames, 'signal', 'timeout'] as const

/**
 * An open queue. Made by `open()`; closing it, or losing it to the garbage collector, never removes the
 * queue from the system: `unlink()` does.
 */
export abstract class MessageQueue<D extends Driver = Driver> {
  /** @internal */
  declare protected readonly channel: Channel<D>

  /** @internal */
  constructor(driver: D) {
    // Not enumerable: what console.log() shows of a queue is what its user knows.
    Object.defineProperty(this, 'channel', { value: new Channel(driver) })
  }

  abstract readonly kind: 'posix' | 'sysv'

  /** The canonical string form: `/name`, `sysv:0x` and eight hex digits, `sysv:id=N`, `posix:fd=N`. */
  get address(): string {
    return this.channel.driver.address
  }

  get closed(): boolean {
    return this.channel.closed
  }

  /** The longest message that the queue takes now, in bytes. */
  get maxMessageSize(): number {
    return this.channel.driver.maxMessageSize
  }

  /**
   * Sends a message; resolves once the kernel has it, and waits while the queue is full. Sends of one
   * handle go in the order of the calls. The data is copied before the call returns. msgsnd(2),
   * mq_send(3).
   *
   * Rejects with `EMSGSIZE`, `ETIMEDOUT`, an `AbortError`, `EIDRM`, `EBADF`, `ERR_QUEUE_CLOSED`.
   */
  async send(data: Data, options?: SendOptions & WaitOptions): Promise<void> {
    const checked = checkOptions(options, sendNames)
    const type = this.#sendType(checked)
    checkData('data', data)
    this.channel.assertOpen()
    const limits = checkWaiting(checked)
    const { sender } = this.channel
    let over: Sent = () => {}
    const pending = sender.send(type, data, (error) => over(error))
    if (!pending) return
    return waiting(limits, this.#where(this.channel.driver.sendCall), ({ resolve, reject }) => {
      over = (error) => (error ? reject(error) : resolve())
      return (reason) => sender.cancel(pending, reason)
    })
  }

  /** Sends a message if that needs no waiting: `false` where the queue is full, or others wait to send. */
  trySend(data: Data, options?: SendOptions): boolean {
    const type = this.#sendType(checkOptions(options, trySendNames))
    checkData('data', data)
    this.channel.assertOpen()
    return this.channel.sender.trySend(type, data)
  }

  /**
   * Waits for a message and takes it. msgrcv(2), mq_receive(3).
   *
   * Rejects with `ETIMEDOUT`, an `AbortError`, `EIDRM`, `EBADF`, `ERR_QUEUE_CLOSED`; `ENOTSUP` for a
   * type on POSIX; `ERR_OUT_OF_RANGE` for a type above 2⁵³−1 without `bigint` (the message goes back).
   */
  async receive<B extends boolean = false>(
    options?: ReceiveOptions<B> & WaitOptions,
  ): Promise<Received<B>> {
    const checked = checkOptions(options, receiveNames)
    const bigint = checkBigint(checked.bigint)
    const receiver = this.channel.receiver(checkSelection(this.channel.driver, checked))
    this.channel.assertOpen()
    const limits = checkWaiting(checked)
    const frame = receiver.handOver(receiver.take(1, bigint))
    if (frame) return frame as Received<B>
    return waiting(limits, this.#where(this.channel.driver.receiveCall), ({ resolve, reject }) => {
      const waiter: Waiter = {
        max: () => 1,
        bigint,
        keepAlive: true,
        deliver: ([frame]) => resolve(frame as Received<B>),
        fail: reject,
      }
      receiver.wait(waiter)
      return (reason) => {
        receiver.cancel(waiter)
        reject(reason)
      }
    })
  }

  /** Takes a message if one is there: `null` where nothing matches. */
  tryReceive<B extends boolean = false>(options?: ReceiveOptions<B>): Received<B> | null {
    const checked = checkOptions(options, tryReceiveNames)
    const bigint = checkBigint(checked.bigint)
    const receiver = this.channel.receiver(checkSelection(this.channel.driver, checked))
    this.channel.assertOpen()
    return (receiver.handOver(receiver.takeNow(1, bigint)) as Received<B>) ?? null
  }

  /**
   * Takes what is there, at most `max` messages and nothing behind an empty one, with types as bigints.
   * @internal
   */
  takeAll(max: number, selection: SelectionOptions, into: Inbox): Frame[] {
    const receiver = this.channel.receiver(checkSelection(this.channel.driver, selection))
    this.channel.assertOpen()
    return receiver.takeNow(max, true, into).frames
  }

  /** System V: the message at a position, left in the queue. `ENOTSUP` on POSIX. */
  abstract peek<B extends boolean = false>(
    index?: number,
    options?: { bigint?: B },
  ): Received<B> | null

  /** POSIX: resolves when a message arrives on the empty queue. Rejects with `ENOTSUP` on System V. */
  abstract notify(options?: Pick<WaitOptions, 'signal'>): Promise<void>

  /** Discards what is queued, all or those of a type as in `receive()`; how many there were. */
  clear(options?: { type?: number | bigint }): number {
    const selector = checkSelection(this.channel.driver, checkOptions(options, ['type']))
    this.channel.assertOpen()
    return this.channel.discardAll(selector)
  }

  /** The messages as a stream of frames. */
  readable<const O extends ReadableOptions<unknown> = Record<never, never>>(
    options?: O,
  ): QueueReadable<ChunkOf<O>> {
    return new QueueReadable<ChunkOf<O>>(this.channel, options)
  }

  /** A stream whose chunks become messages. */
  writable(options?: WritableOptions<unknown>): QueueWritable {
    return new QueueWritable(this.channel, options)
  }

  /**
   * What is beneath a writable: takes many messages at once, of about `memory` bytes together.
   * @internal
   */
  outlet(type: number | bigint | undefined, memory: number): Outlet {
    const options = checkWritable(this.channel.driver, type === undefined ? {} : { type })
    return new Outlet(this.channel, options, memory)
  }

  /**
   * Lines between the queue and a file descriptor.
   * @internal
   */
  linePump(): LinePump {
    this.channel.assertOpen()
    return new LinePump(this.channel.driver)
  }

  /** Both directions as one stream. */
  duplex(options?: DuplexOptions<unknown>): QueueDuplex {
    return new QueueDuplex(this.channel, options)
  }

  /** The messages as events. */
  consumer<const O extends ReadableOptions<unknown> = Record<never, never>>(
    options?: O,
  ): QueueConsumer<FrameOf<O>> {
    return new QueueConsumer<FrameOf<O>>(this.channel, options)
  }

  /** One receive loop, with a stream for each type. */
  demultiplex(options?: DemultiplexOptions): Demultiplexer {
    return new Demultiplexer(this.channel, options)
  }

  [Symbol.asyncIterator](): AsyncIterator<Received<false>> {
    return this.readable()[Symbol.asyncIterator]()
  }

  /** What the system says of the queue. */
  abstract stats(): QueueStats

  /** Changes permissions, owner, and (System V) capacity. */
  abstract configure(configuration: Configuration): void

  /** Removes the queue from the system; this handle stays open. */
  abstract unlink(): void

  /**
   * Closes this handle, not the queue. Its readers put unread frames back and end; a pending write fails
   * its writer; pending and later calls fail with `ERR_QUEUE_CLOSED`. Resolves when all that is done.
   */
  close(): Promise<void> {
    return this.channel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Waiting here keeps the process alive: the default. */
  ref(): this {
    this.channel.keepAlive(true)
    return this
  }

  /** Waiting here does not keep the process alive. */
  unref(): this {
    this.channel.keepAlive(false)
    return this
  }

  #sendType({ type }: SendOptions): number | bigint {
    return type === undefined
      ? defaultSendType(this.channel.driver.kind)
      : checkSendType(this.channel.driver.kind, 'options.type', type)
  }

  #where(syscall: string) {
    return { syscall, address: this.address, keepsAlive: this.channel.liveness.keep }
  }
}

function checkBigint(value: boolean | undefined): boolean {
  return value === undefined ? false : checkBoolean('options.bigint', value)
}
