import { finished, type Readable } from './base.js'

/**
 * `for await` over a stream. readable-stream's own iterator is a generator, which costs more than taking
 * the message from the kernel, and it swallows an error that comes of leaving the loop. Here a `break`
 * destroys the stream and waits for it, so that unread frames are back in the queue behind the loop; if
 * they cannot be, the loop throws.
 */
export function iterate<T>(stream: Readable): NodeJS.AsyncIterator<T> {
  let over = false
  let failure: Error | undefined
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const each of woken) each()
  }
  const changed = () => new Promise<void>((resolve) => waiting.push(resolve))
  stream.on('readable', wake)
  const forget = finished(stream, { writable: false }, (error) => {
    over = true
    failure = error ?? undefined
    wake()
  })
  const read = () => (stream.destroyed ? null : (stream.read() as T | null))
  const done = { value: undefined, done: true } as const

  async function later(): Promise<IteratorResult<T, undefined>> {
    for (let chunk = read(); ; chunk = read()) {
      if (chunk !== null) return { value: chunk, done: false }
      if (over) break
      await changed()
    }
    stream.removeListener('readable', wake)
    forget()
    const error = failure
    failure = undefined
    if (error) throw error
    return done
  }

  return {
    next() {
      const chunk = read()
      return chunk === null ? later() : Promise.resolve({ value: chunk, done: false })
    },
    async return() {
      if (!stream.closed) {
        stream.removeListener('readable', wake)
        const closed = new Promise<void>((resolve) => stream.once('close', resolve))
        stream.destroy()
        await closed
      }
      forget()
      // Only what came of leaving: to have been left early is no error.
      const error = stream.errored
      if (error) throw error
      return done
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      await this.return?.()
    },
  } as NodeJS.AsyncIterator<T>
}
