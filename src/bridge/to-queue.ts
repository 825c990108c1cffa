/** Frames into a kernel queue, acknowledged where they came from once the kernel has them. */
import { AckFrame } from '../frame.js'
import type { MessageQueue } from '../queues/message-queue.js'
import { Writable } from '../streams/base.js'
import type { WritableOptions } from '../streams/options.js'
import type { QueueWritable } from '../streams/writable.js'

type Done = (error?: Error | null) => void

class AcknowledgingWritable extends Writable {
  readonly #queue: QueueWritable

  constructor(queue: QueueWritable) {
    super({ objectMode: true })
    this.#queue = queue
    queue.on('error', (error) => this.destroy(error))
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: Done): void {
    this.#queue.write(chunk, (error) => {
      if (!error && chunk instanceof AckFrame) chunk.ack()
      callback(error)
    })
  }

  override _final(callback: Done): void {
    this.#queue.end(callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#queue.destroy()
    callback(error)
  }
}

/**
 * As `queue.writable(options)`, and acknowledges the `AckFrame`s written to it, of JetStream or of
 * another queue, in order: the sink of every bridge that loses nothing.
 */
export function toQueue(queue: MessageQueue, options?: WritableOptions<never>): Writable {
  return new AcknowledgingWritable(queue.writable(options))
}
