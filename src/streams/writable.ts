/** A queue as a writable stream. */
import type { Channel } from '../drivers/channel.js'
import { destroyOnAbort, Writable } from './base.js'
import { collectWrites } from './collect.js'
import { checkWritable, type WritableOptions } from './options.js'
import { Outlet, type WriteCallback } from './outlet.js'

/**
 * Messages for a queue: data, or frames with a type of their own (in byte mode, bytes). A write's
 * callback means that the kernel has the message. Made by `queue.writable()`.
 */
export class QueueWritable extends Writable {
  readonly #outlet: Outlet

  /** @internal */
  constructor(channel: Channel, options?: WritableOptions<unknown>) {
    channel.assertOpen()
    const checked = checkWritable(channel.driver, options)
    super({ objectMode: checked.objectMode, highWaterMark: checked.highWaterMark })
    this.#outlet = new Outlet(channel, checked)
    collectWrites(this, this.#outlet)
    // An aborted one destroys at once, for which there must be an outlet.
    if (checked.signal) destroyOnAbort(this, checked.signal)
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#outlet.write([{ chunk }], callback)
  }

  override _final(callback: WriteCallback): void {
    this.#outlet.end(callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#outlet.destroy(error, () => callback(error))
  }
}
