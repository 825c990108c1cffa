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
  // Not the stream's `errored`, which may be no more than a write that was given up.
  let told: Error | undefined
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const each of woken) each()
  }
  const changed = () => new Promise<void>((resolve) => waiting.push(resolve))
  const tell = (error: Error) => {
    told = error
  }
  stream.on('readable', wake)
  stream.on('error', tell)
  const unwatch = finished(stream, { writable: false }, (error) => {
    over = true
    failure = error ?? undefined
    wake()
  })
  const forget = () => {
    stream.removeListener('readable', wake)
    stream.removeListener('error', tell)
    unwatch()
  }
  const read = () => (stream.destroyed ? null : (stream.read() as T | null))
  const done = { value: undefined, done: true } as const

  async function later(): Promise<IteratorResult<T, undefined>> {
    for (let chunk = read(); ; chunk = read()) {
      if (chunk !== null) return { value: chunk, done: false }
      if (over) break
      await changed()
    }
    forget()
    const error = failure
    failure = told = undefined
    if (error) throw error
    return done
  }

  return {
    next() {
      const chunk = read()
      return chunk === null ? later() : Promise.resolve({ value: chunk, done: false })
    },
    async return() {
      forget()
      // A next() that waits is done then, too.
      over = true
      failure = undefined
      wake()
      const closed = new Promise<Error | undefined>((resolve) => {
        stream.once('error', resolve)
        // One that is closed has said so, or is about to.
        if (stream.closed) process.nextTick(resolve)
        else stream.once('close', resolve)
      })
      stream.destroy()
      told = (await closed) ?? told
      // Only what came of leaving, or before: to have been left early is no error.
      if (told) throw told
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
