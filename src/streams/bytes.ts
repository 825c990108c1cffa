/** Byte mode of a writing stream. */
import type { Duplex, Writable } from './base.js'
import type { Outlet, WriteCallback } from './outlet.js'

/**
 * Gives a stream `_write` and `_writev` for bytes, and collects what is written in one tick for it: many small writes become
 * few messages, as with a corked socket.
 */
export function collectWrites(stream: Writable | Duplex, outlet: Outlet): void {
  const write = stream.write as (...args: unknown[]) => boolean
  let corked = false
  const uncork = () => {
    corked = false
    stream.uncork()
  }
  stream.write = (...args: unknown[]) => {
    if (!corked) {
      corked = true
      stream.cork()
      process.nextTick(uncork)
    }
    return write.apply(stream, args)
  }
  stream._write = (chunk: Uint8Array, _encoding, callback: WriteCallback) => {
    outlet.writeBytes([chunk], callback)
  }
  stream._writev = (chunks: { chunk: Uint8Array }[], callback: WriteCallback) => {
    outlet.writeBytes(
      chunks.map(({ chunk }) => chunk),
      callback,
    )
  }
}
