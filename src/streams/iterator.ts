/** How a `for await` over a stream of frames ends. */
import { QueueError } from '../errors.js'
import type { Readable } from './base.js'

/**
 * Breaking out of a `for await` destroys the stream, and node:stream does not wait for that. Here the
 * loop is over when the unread frames are back in the queue, and it throws `ERR_FRAMES_LOST` if they are
 * not: nobody else would hear of it.
 */
export function lossless<T>(
  stream: Readable,
  iterator: NodeJS.AsyncIterator<T>,
): NodeJS.AsyncIterator<T> {
  const leave = iterator.return?.bind(iterator)
  iterator.return = async (value) => {
    let failure: unknown
    const heard = (error: Error) => {
      failure = error
    }
    stream.on('error', heard)
    const result = (await leave?.(value)) as IteratorResult<T>
    if (stream.destroyed && !stream.closed) {
      await new Promise<void>((resolve) => stream.once('close', resolve))
    }
    stream.off('error', heard)
    // Any other is the AbortError that stands for the break.
    if (failure instanceof QueueError) throw failure
    return result
  }
  return iterator
}
