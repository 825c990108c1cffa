/** The way out, from a writable to the kernel. Used by every stream that writes. */
import { type Codec, checkData, type Data, isIdentity } from '../codecs.js'
import type { Channel } from '../drivers/channel.js'
import { asBytes, Outbox, outbox } from '../drivers/records.js'
import { checkSendType, defaultSendType } from '../drivers/selection.js'
import { addMessage, type Pending } from '../drivers/sender.js'
import { argumentError } from '../errors.js'
import { Frame } from '../frame.js'
import { destroyedError } from './base.js'
import { exhausted, proceed, spend } from './turn.js'

export type TypeOf = number | bigint | ((chunk: never) => number | bigint)
export type WriteCallback = (error?: Error | null) => void

export interface OutletOptions {
  type: TypeOf | undefined
  codec: Codec<unknown>
  eof: boolean
  objectMode: boolean
}

export class Outlet {
  readonly #channel: Channel
  readonly #options: OutletOptions
  readonly #defaultType: number | bigint
  readonly #plain: boolean
  /** What was written and has not been sent: in object mode from `write()` on. */
  readonly #outbox: Outbox
  /** What is wrong with the chunk written behind the messages in the outbox. */
  #failure: Error | undefined
  #pending: Pending | undefined
  /** Of the messages written, how many the kernel has. Bytes are not counted. */
  accepted = 0
  #whenSent: (() => void) | undefined
  /** Why it was destroyed: a write of bytes is in the middle of itself then, between two turns. */
  #reason: Error | undefined

  /** `memory`: what is written in one tick, about, with 16 bytes a message. It grows with that. */
  constructor(channel: Channel, options: OutletOptions, memory = FIRST_SLAB) {
    this.#channel = channel
    this.#options = options
    const { type } = options
    this.#outbox = options.objectMode ? new Outbox(memory) : outbox
    this.#plain = isIdentity(options.codec) && typeof type !== 'function'
    this.#defaultType =
      type === undefined || typeof type === 'function' ? defaultSendType(channel.driver.kind) : type
  }

  /**
   * Adds the message that a chunk makes to the outbox, so that, as with `send()`, the caller may reuse his
   * buffer when `write()` has returned. The error of a chunk that makes none comes in its turn. Bytes are
   * not copied: as with a socket, they are the stream's until the callback.
   */
  keep(chunk: unknown): void {
    if (!this.#options.objectMode || this.#failure) return
    const { count } = this.#outbox
    try {
      this.#add(chunk)
    } catch (error) {
      this.#outbox.truncate(count)
      this.#failure = failureOf(chunk, error)
    }
  }

  /** What readable-stream would say of a chunk that is no bytes, where it does not fail over it itself. */
  check(chunk: unknown): void {
    if (this.#options.objectMode || chunk === null) return
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) return
    const problem = 'must be a string, a Buffer or a Uint8Array'
    throw argumentError('ERR_INVALID_ARG_TYPE', 'chunk', problem, chunk)
  }

  /** `_write` and `_writev`; the callback means that the kernel has all of it. */
  write(chunks: readonly { chunk: unknown }[], callback: WriteCallback): void {
    if (this.#options.objectMode) this.#sendMessages(chunks, callback)
    else this.#sendBytes({ chunks: chunks as readonly BytesChunk[], index: 0, at: 0 }, callback)
  }

  #sendMessages(chunks: readonly { chunk: unknown }[], callback: WriteCallback): void {
    // The chunk of end() has not passed through write().
    for (let i = this.#outbox.count; i < chunks.length; i++) this.keep(chunks[i]?.chunk)
    const failure = this.#failure
    try {
      this.#channel.assertOpen()
    } catch (error) {
      callback(error as Error)
      return
    }
    // What was written before a chunk that fails goes out first.
    this.#submit((error) => {
      if (error || failure) callback(error ?? failure)
      else if (exhausted()) proceed(callback)
      else callback()
    })
  }

  /** Sends what is in the outbox. */
  #submit(done: WriteCallback): void {
    const { count, used } = this.#outbox
    spend(count, used)
    try {
      const pending = this.#channel.sender.sendAll(this.#outbox, (error) => {
        this.#accept(count - (pending?.count ?? 0))
        this.#pending = undefined
        this.#whenSent?.()
        done(error)
      })
      this.#pending = pending
    } catch (error) {
      done(error as Error)
      return
    } finally {
      this.#outbox.clear()
    }
    if (this.#pending) return
    this.#accept(count)
    done()
  }

  #accept(count: number): void {
    if (this.#options.objectMode) this.accepted += count
  }

  #sendBytes(cursor: Cursor, callback: WriteCallback): void {
    outbox.clear()
    let more: boolean
    try {
      if (this.#reason) throw this.#reason
      this.#channel.assertOpen()
      more = pack(cursor, this.#defaultType, this.#channel.driver.byteMessageSize)
    } catch (error) {
      callback(error as Error)
      return
    }
    const next = () => (more ? this.#sendBytes(cursor, callback) : callback())
    this.#submit((error) => {
      if (error) callback(error)
      else if (exhausted()) proceed(next)
      else next()
    })
  }

  /** `_final`: the end-of-stream mark, if there is to be one. */
  end(callback: WriteCallback): void {
    if (!this.#options.eof) return callback()
    try {
      this.#channel.assertOpen()
    } catch (error) {
      callback(error as Error)
      return
    }
    // Whatever the codec, the mark is empty.
    this.#outbox.clear()
    this.#outbox.add(this.#defaultType, '')
    this.#submit(callback)
  }

  /** `_destroy`: a message that waits for room is given up, unless the kernel is quicker. */
  destroy(reason: Error | null, callback: () => void): void {
    const { closed } = this.#channel
    this.#reason = reason ?? (closed ? this.#channel.closedError() : destroyedError('write'))
    if (!this.#pending) return callback()
    this.#whenSent = callback
    this.#channel.sender.cancel(this.#pending, this.#reason)
  }

  #add(chunk: unknown): void {
    const { type, codec } = this.#options
    // The common case first: data as it is, of the stream's own type.
    if (this.#plain && (chunk instanceof Uint8Array || typeof chunk === 'string')) {
      this.#addData(this.#defaultType, chunk)
      return
    }
    let value = chunk
    let own: unknown
    if (chunk instanceof Frame || (isIdentity(codec) && isFrameLike(chunk))) {
      value = chunk.data
      own = chunk.type
    }
    const data: unknown = codec.encode(value)
    checkData('chunk', data, ', or a Frame of one')
    const { kind } = this.#channel.driver
    if (typeof type === 'function') {
      this.#addData(checkSendType(kind, 'options.type()', type(chunk as never)), data)
    } else if (type !== undefined || own === undefined) {
      this.#addData(this.#defaultType, data)
    } else {
      this.#addData(checkSendType(kind, 'chunk.type', own), data)
    }
  }

  #addData(type: number | bigint, data: Data): void {
    addMessage(this.#outbox, this.#channel.driver, type, data)
  }
}

/** Whatever a codec throws, a stream fails with an `Error`. */
function failureOf(chunk: unknown, cause: unknown): Error {
  if (cause instanceof Error) return cause
  const error = argumentError('ERR_INVALID_ARG_VALUE', 'chunk', 'could not be encoded', chunk)
  return Object.assign(error, { cause })
}

function isFrameLike(chunk: unknown): chunk is { type?: unknown; data: unknown } {
  return (
    typeof chunk === 'object' && chunk !== null && !ArrayBuffer.isView(chunk) && 'data' in chunk
  )
}

interface BytesChunk {
  chunk: Uint8Array
}

/** Which bytes come next. */
interface Cursor {
  readonly chunks: readonly BytesChunk[]
  index: number
  at: number
}

/** What a writable of messages begins with. */
const FIRST_SLAB = 4096

/** A portion at a time, so that a large write takes no second copy of itself. */
const PORTION = 64 * 1024

/** Adds the next bytes to the outbox, in messages of `size`; whether there are more. */
function pack(cursor: Cursor, type: number | bigint, size: number): boolean {
  const { chunks } = cursor
  while (cursor.index < chunks.length && outbox.used < PORTION) {
    outbox.begin()
    let room = size
    while (room > 0 && cursor.index < chunks.length) {
      const chunk = asBytes((chunks[cursor.index] as BytesChunk).chunk)
      const whole = cursor.at === 0 && chunk.length <= room
      const piece = whole ? chunk : chunk.subarray(cursor.at, cursor.at + room)
      outbox.append(piece)
      room -= piece.length
      cursor.at += piece.length
      if (cursor.at === chunk.length) {
        cursor.index++
        cursor.at = 0
      }
    }
    // A write of no bytes makes no message.
    if (room < size) outbox.seal(type)
  }
  return cursor.index < chunks.length
}
