import type { Duplex, Writable } from './base.js'
import type { WriteCallback } from './outlet.js'

/**
 * Collects what is written to a stream in one tick and hands it to `send` together: one native call for
 * many messages, and (in byte mode) few messages for many small writes, as with a corked socket. It is
 * the other process that gains most: a receiver that sleeps is woken once for the lot.
 */
export function collectWrites(
  stream: Writable | Duplex,
  send: (chunks: readonly { chunk: unknown }[], callback: WriteCallback) => void,
): void {
  const write = stream.write as (chunk: unknown, encoding: unknown, callback: unknown) => boolean
  let corked = false
  const uncork = () => {
    corked = false
    stream.uncork()
  }
  stream.write = (chunk: unknown, encoding?: unknown, callback?: unknown) => {
    if (!corked) {
      corked = true
      stream.cork()
      process.nextTick(uncork)
    }
    return write.call(stream, chunk, encoding, callback)
  }
  stream._writev = send
}
