/** The only importer of readable-stream: its classes, typed as the ones of node:stream they follow. */
import type * as nodeStream from 'node:stream'
import { AbortError } from '../errors.js'
import { require } from '../package.js'

const streams: typeof nodeStream = require('readable-stream')

export const Readable = streams.Readable
export type Readable = nodeStream.Readable
export const Writable = streams.Writable
export type Writable = nodeStream.Writable
export const Duplex = streams.Duplex
export type Duplex = nodeStream.Duplex

/**
 * Takes what a readable has buffered out of its hands. There is no public way: read() would hand it to
 * the 'data' listeners of a stream that is being destroyed.
 */
export function takeBuffered<T>(stream: Readable): T[] {
  const state = (stream as unknown as { _readableState: ReadableState<T> })._readableState
  const chunks = [...state.buffer]
  state.buffer.clear()
  state.length = 0
  return chunks
}

/** What was written and waits behind a write that is not done. There is no public way to this either. */
export function buffered<T>(stream: Writable): T[] {
  const state = (stream as unknown as { _writableState: WritableState<T> })._writableState
  return state.getBuffer().map(({ chunk }) => chunk)
}

interface WritableState<T> {
  getBuffer(): { chunk: T }[]
}

interface ReadableState<T> {
  buffer: Iterable<T> & { clear(): void }
  length: number
}

export const { finished } = streams

/** What readable-stream says of a call that comes too late, and to the writes that wait in its buffer. */
export function destroyedError(call: string): Error {
  const error = new Error(`Cannot call ${call} after a stream was destroyed`)
  return Object.assign(error, { code: 'ERR_STREAM_DESTROYED' })
}

/**
 * What a stream's `signal` does: as addAbortSignal(), but that the `AbortError` is ours, as that of every
 * other wait. Nobody need listen for it; an error that comes in its place, or before it, is not hushed.
 */
export function destroyOnAbort(stream: Readable | Writable, signal: AbortSignal): void {
  const abort = () => {
    const aborted = new AbortError(signal.reason)
    stream.once('error', (error) => {
      if (error !== aborted && stream.listenerCount('error') === 0) throw error
    })
    stream.destroy(aborted)
  }
  if (signal.aborted) {
    abort()
    return
  }
  signal.addEventListener('abort', abort, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', abort))
}
