import type { Duplex, Writable } from './base.js'
import type { Outlet, WriteCallback } from './outlet.js'

/**
 * Collects what is written to a stream in one tick and hands it to the outlet together: one native call for
 * many messages, and (in byte mode) few messages for many small writes, as with a corked socket. It is
 * the other process that gains most: a receiver that sleeps is woken once for the lot.
 *
 * Where it fails in the middle, node:stream would tell the whole lot of the error; here those that the
 * kernel has by then are told so, for else they would be written again.
 */
export function collectWrites(stream: Writable | Duplex, outlet: Outlet): void {
  const write = stream.write as (
    chunk: unknown,
    encoding: unknown,
    callback?: WriteCallback,
  ) => boolean
  let written = 0
  const uncork = () => stream.uncork()
  stream.write = (chunk: unknown, encoding?: unknown, callback?: unknown) => {
    outlet.check(chunk)
    if (stream.writableCorked === 0) {
      stream.cork()
      process.nextTick(uncork)
    }
    const done = (typeof encoding === 'function' ? encoding : callback) as WriteCallback | undefined
    const place = written
    const more = done
      ? write.call(stream, chunk, encoding === done ? undefined : encoding, (error) =>
          done(error && place < outlet.accepted ? null : error),
        )
      : write.call(stream, chunk, encoding)
    // What comes behind the end, or is destroyed, is refused.
    if (stream.writable) outlet.keep(chunk)
    written++
    return more
  }
  stream._writev = (chunks, callback) => outlet.write(chunks, callback)
}
