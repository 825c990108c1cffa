/** A queue as a readable stream. */
import type { Channel } from '../drivers/channel.js'
import type { SysVDriver } from '../drivers/sysv-driver.js'
import type { Frame } from '../frame.js'
import { Acknowledger } from './acknowledger.js'
import { destroyOnAbort, Readable } from './base.js'
import { Intake } from './intake.js'
import { iterate } from './iterate.js'
import { type CheckedReadable, checkReadable, type ReadableOptions } from './options.js'
import { directSupply } from './supply.js'

/** What `_read` and `_destroy` of every reading stream stand on. */
export function intakeFor(stream: Readable, channel: Channel, checked: CheckedReadable): Intake {
  const { selector, ack, highWaterMark } = checked
  // checkReadable refuses ack for any other kind.
  const supply = ack
    ? new Acknowledger(channel as Channel<SysVDriver>, selector, highWaterMark)
    : directSupply(channel, selector)
  return new Intake(stream, channel, supply, checked)
}

/**
 * Frames from a queue (in byte mode, bytes). Made by `queue.readable()`. Events besides a readable's
 * own: `'invalid'` `(error, frame)`, a message that does not decode.
 */
export class QueueReadable<F = Frame> extends Readable {
  readonly #intake: Intake

  /** @internal */
  constructor(channel: Channel, options?: ReadableOptions<unknown>) {
    channel.assertOpen()
    const checked = checkReadable(channel.driver, options)
    super({ objectMode: checked.objectMode, highWaterMark: checked.highWaterMark })
    this.#intake = intakeFor(this, channel, checked)
    // An aborted one destroys at once, for which there must be an intake.
    if (checked.signal) destroyOnAbort(this, checked.signal)
  }

  /** Takes no more from the kernel; what was taken is handed over, then the stream ends. */
  stop(): void {
    this.#intake.stop()
  }

  /** Waiting for messages keeps the process alive: the default. */
  ref(): this {
    return this.#keepAlive(true)
  }

  /** Waiting for messages does not keep the process alive. */
  unref(): this {
    return this.#keepAlive(false)
  }

  #keepAlive(keep: boolean): this {
    this.#intake.keepAlive = keep
    this.#intake.updateKeepAlive()
    return this
  }

  override _read(): void {
    this.#intake.read()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#intake.destroy(error, callback)
  }

  // The first signature is node:stream's own, without which this were no NodeJS.ReadableStream: that
  // interface knows chunks of text and bytes alone.
  // biome-ignore lint/suspicious/noExplicitAny: as node:stream has it
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<any>
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<F>
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<F> {
    return iterate<F>(this)
  }
}
