/** A queue as one stream for both directions, like a socket. */
import type { Channel } from '../drivers/channel.js'
import type { Frame } from '../frame.js'
import { checkOptions } from '../options.js'
import { Duplex, destroyOnAbort } from './base.js'
import { collectWrites } from './collect.js'
import type { Intake } from './intake.js'
import { iterate } from './iterate.js'
import {
  checkReadable,
  checkWritable,
  type ReadableOptions,
  type WritableOptions,
} from './options.js'
import { Outlet, type WriteCallback } from './outlet.js'
import { intakeFor } from './readable.js'

export interface DuplexOptions<T = Buffer> {
  /** What comes in: the options of `readable()`. */
  receive?: ReadableOptions<T>
  /** What goes out: the options of `writable()`. */
  send?: WritableOptions<unknown>
}

/**
 * Both directions of a queue, say receive type 1 and send type 2. Made by `queue.duplex()`. The readable
 * side ends by `stop()` or an end-of-stream mark; ending the writable side does not end it. Closing the
 * queue ends both.
 */
export class QueueDuplex extends Duplex {
  readonly #intake: Intake
  readonly #outlet: Outlet
  /** The queue was closed under it. */
  #over = false

  /** @internal */
  constructor(channel: Channel, options?: DuplexOptions<unknown>) {
    channel.assertOpen()
    const { receive, send } = checkOptions(options, ['receive', 'send'])
    const incoming = checkReadable(channel.driver, receive, 'options.receive')
    const outgoing = checkWritable(channel.driver, send, 'options.send')
    super({
      readableObjectMode: incoming.objectMode,
      readableHighWaterMark: incoming.highWaterMark,
      writableObjectMode: outgoing.objectMode,
      writableHighWaterMark: outgoing.highWaterMark,
    })
    this.#intake = intakeFor(this, channel, incoming)
    this.#outlet = new Outlet(channel, outgoing)
    collectWrites(this, this.#outlet)
    // No half-close: finished() would wait for an end() that nobody means to call.
    this.once('end', () => {
      this.#over = channel.closed
      if (this.#over) this.end()
    })
    for (const signal of [incoming.signal, outgoing.signal]) {
      if (signal) destroyOnAbort(this, signal)
    }
  }

  /** Takes no more from the kernel; what was taken is handed over, then the readable side ends. */
  stop(): void {
    this.#intake.stop()
  }

  // The first signature is node:stream's own, without which this were no NodeJS.ReadableStream: that
  // interface knows chunks of text and bytes alone.
  // biome-ignore lint/suspicious/noExplicitAny: as node:stream has it
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<any>
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Frame>
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Frame> {
    return iterate<Frame>(this)
  }

  override _read(): void {
    this.#intake.read()
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#outlet.write([{ chunk }], callback)
  }

  override _final(callback: WriteCallback): void {
    // Nor is there a queue for an end-of-stream mark then.
    if (this.#over) callback()
    else this.#outlet.end(callback)
  }

  // The way in first: what its wait still delivered would be dropped by a stream that is destroyed.
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#intake.destroy(error, (failure) => this.#outlet.destroy(error, () => callback(failure)))
  }
}
