/** A queue as an event emitter. */
import type { Channel } from './drivers/channel.js'
import { EventEmitter } from './events.js'
import type { Frame } from './frame.js'
import type { ReadableOptions } from './streams/options.js'
import { QueueReadable } from './streams/readable.js'

export interface ConsumerEvents<F> {
  message: [frame: F]
  /** Keyed by type: `message:7`. */
  [typed: `message:${string}`]: [frame: F]
  /** A message that does not decode. */
  invalid: [error: Error, frame: Frame]
  error: [error: Error]
  close: []
}

/**
 * The messages of a queue as events: `'message'`, and `'message:TYPE'` for those of one type. Made by
 * `queue.consumer()`. It starts at the next turn of the event loop after a `message…` listener is
 * attached. An `'error'` that nobody listens to is thrown.
 */
export class QueueConsumer<F = Frame> extends EventEmitter<ConsumerEvents<F>> {
  readonly #source: QueueReadable<F>
  readonly #closed: Promise<void>
  #started = false
  #paused = false
  #typed = false

  /** @internal */
  constructor(channel: Channel, options?: ReadableOptions<unknown>) {
    super()
    this.#source = new QueueReadable<F>(channel, options)
    this.#source.on('error', (error) => this.emitError(error))
    this.#source.on('invalid', (error: Error, frame: Frame) => this.#invalid(error, frame))
    this.#closed = new Promise((resolve) => {
      this.#source.once('close', () => {
        this.emit('close')
        resolve()
      })
    })
  }

  override on<E extends keyof ConsumerEvents<F>>(event: E, listener: Listener<F, E>): this {
    this.#heard(event)
    return super.on(event, listener as never)
  }

  override addListener<E extends keyof ConsumerEvents<F>>(
    event: E,
    listener: Listener<F, E>,
  ): this {
    return this.on(event, listener)
  }

  override once<E extends keyof ConsumerEvents<F>>(event: E, listener: Listener<F, E>): this {
    this.#heard(event)
    return super.once(event, listener as never)
  }

  #heard(event: string | symbol): void {
    if (typeof event !== 'string' || !event.startsWith('message')) return
    this.#typed ||= event.startsWith('message:')
    if (this.#started) return
    this.#started = true
    setImmediate(() => {
      this.#source.on('data', (frame: F & Frame) => this.#hand(frame))
      if (this.#paused) this.#source.pause()
    })
  }

  #hand(frame: F & Frame): void {
    this.emit('message', frame)
    if (this.#typed) this.emit(`message:${frame.type}`, frame)
  }

  #invalid(error: Error, frame: Frame): void {
    if (!this.emit('invalid', error, frame)) this.#source.destroy(error)
  }

  // Before the start there is nobody to flow to; a stream paused by then would not start to.
  get #flowing(): boolean {
    return this.#source.listenerCount('data') > 0
  }

  /** Takes no more than `highWaterMark` messages until `resume()`. */
  pause(): this {
    this.#paused = true
    if (this.#flowing) this.#source.pause()
    return this
  }

  resume(): this {
    this.#paused = false
    if (this.#flowing) this.#source.resume()
    return this
  }

  /** Waiting for messages keeps the process alive: the default. */
  ref(): this {
    this.#source.ref()
    return this
  }

  unref(): this {
    this.#source.unref()
    return this
  }

  /** Stops, and puts unread frames back; resolves when that is done. */
  close(): Promise<void> {
    this.#source.destroy()
    return this.#closed
  }
}

type Listener<F, E extends keyof ConsumerEvents<F>> = (...args: ConsumerEvents<F>[E]) => void
