/** The way out, from a writable to the kernel. Used by every stream that writes. */
import { type Codec, type Data, isIdentity } from '../codecs.js'
import type { Channel } from '../drivers/channel.js'
import { asBytes, outbox } from '../drivers/records.js'
import { checkSendType, defaultSendType } from '../drivers/selection.js'
import type { Pending } from '../drivers/sender.js'
import { argumentError } from '../errors.js'
import { Frame } from '../frame.js'
import { exhausted, proceed, spend } from './turn.js'

export type TypeOf = number | bigint | ((chunk: never) => number | bigint)
export type WriteCallback = (error?: Error | null) => void

export interface OutletOptions {
  type: TypeOf | undefined
  codec: Codec<unknown>
  eof: boolean
  objectMode: boolean
}

/** What goes out for a chunk. */
class Message {
  constructor(
    readonly type: number | bigint,
    readonly data: Data,
  ) {}
}

/** A chunk that makes no message; whatever a codec throws, a stream fails with an `Error`. */
class Refused {
  readonly error: Error

  constructor(chunk: unknown, cause: unknown) {
    this.error =
      cause instanceof Error
        ? cause
        : Object.assign(
            argumentError('ERR_INVALID_ARG_VALUE', 'chunk', 'could not be encoded', chunk),
            { cause },
          )
  }
}

export class Outlet {
  readonly #channel: Channel
  readonly #options: OutletOptions
  readonly #defaultType: number | bigint
  readonly #plain: boolean
  #pending: Pending | undefined
  /** Of the messages written, how many the kernel has. Bytes are not counted. */
  accepted = 0
  #whenSent: (() => void) | undefined

  constructor(channel: Channel, options: OutletOptions) {
    this.#channel = channel
    this.#options = options
    const { type } = options
    this.#plain = isIdentity(options.codec) && typeof type !== 'function'
    this.#defaultType =
      type === undefined || typeof type === 'function' ? defaultSendType(channel.driver.kind) : type
  }

  /**
   * The message that a chunk makes, with a copy of its data: as with `send()`, the caller may reuse his
   * buffer when `write()` has returned. The error of a chunk that makes none comes in its turn. Bytes are
   * not copied: as with a socket, they are the stream's until the callback.
   */
  keep(chunk: unknown): unknown {
    // Of null the stream itself says what is wrong.
    return this.#options.objectMode && chunk !== null ? this.#kept(chunk) : chunk
  }

  #kept(chunk: unknown): Message | Refused {
    try {
      const { type, data } = this.#resolve(chunk)
      return new Message(type, typeof data === 'string' ? data : Buffer.from(asBytes(data)))
    } catch (error) {
      return new Refused(chunk, error)
    }
  }

  /** `_write` and `_writev`; the callback means that the kernel has all of it. */
  write(chunks: readonly { chunk: unknown }[], callback: WriteCallback): void {
    if (this.#options.objectMode) {
      // That of end(chunk) was not kept. Before the outbox is filled, for a codec may send, too.
      const kept = chunks.map(({ chunk }) =>
        chunk instanceof Message || chunk instanceof Refused ? chunk : this.#kept(chunk),
      )
      this.#sendMessages(kept, 0, callback)
    } else this.#sendBytes({ chunks: chunks as readonly BytesChunk[], index: 0, at: 0 }, callback)
  }

  #sendMessages(
    chunks: readonly (Message | Refused)[],
    from: number,
    callback: WriteCallback,
  ): void {
    const { driver } = this.#channel
    let index = from
    let failure: Error | undefined
    outbox.clear()
    try {
      this.#channel.assertOpen()
      while (index < chunks.length && outbox.used < PORTION) {
        const chunk = chunks[index] as Message | Refused
        if (chunk instanceof Refused) throw chunk.error
        driver.checkLength(outbox.add(chunk.type, chunk.data))
        index++
      }
    } catch (error) {
      // What was written before goes out first.
      outbox.truncate(index - from)
      failure = error as Error
    }
    const next = (error?: Error | null) => {
      if (error || failure) callback(error ?? failure)
      else if (index < chunks.length) this.#sendMessages(chunks, index, callback)
      else if (exhausted()) proceed(callback)
      else callback()
    }
    this.#submit(next)
  }

  /** Sends what is in the outbox. */
  #submit(done: WriteCallback): void {
    const { count } = outbox
    spend(count, outbox.used)
    try {
      const pending = this.#channel.sender.sendOutbox((error) => {
        this.#accept(count - (pending?.count ?? 0))
        this.#pending = undefined
        this.#whenSent?.()
        done(error)
      })
      this.#pending = pending
    } catch (error) {
      done(error as Error)
      return
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
    try {
      this.#channel.assertOpen()
    } catch (error) {
      callback(error as Error)
      return
    }
    const more = pack(cursor, this.#defaultType, this.#channel.driver.byteMessageSize)
    this.#submit((error) => {
      if (error) callback(error)
      else if (more) this.#sendBytes(cursor, callback)
      else if (exhausted()) proceed(callback)
      else callback()
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
    outbox.clear()
    outbox.add(this.#defaultType, '')
    this.#submit(callback)
  }

  /** `_destroy`: a message that waits for room is given up, unless the kernel is quicker. */
  destroy(reason: Error | null, callback: () => void): void {
    if (!this.#pending) return callback()
    this.#whenSent = callback
    this.#channel.sender.cancel(this.#pending, reason ?? this.#channel.closedError())
  }

  #resolve(chunk: unknown): { type: number | bigint; data: Data } {
    const { type, codec } = this.#options
    // The common case first: data as it is, of the stream's own type.
    if (this.#plain && (chunk instanceof Uint8Array || typeof chunk === 'string')) {
      return { type: this.#defaultType, data: chunk }
    }
    let value = chunk
    let own: unknown
    if (chunk instanceof Frame || (isIdentity(codec) && isFrameLike(chunk))) {
      value = chunk.data
      own = chunk.type
    }
    const data = codec.encode(value)
    if (typeof data !== 'string' && !ArrayBuffer.isView(data)) {
      const wanted = 'must be a string, a Buffer or another ArrayBufferView, or a Frame of one'
      throw argumentError('ERR_INVALID_ARG_TYPE', 'chunk', wanted, data)
    }
    const { kind } = this.#channel.driver
    if (typeof type === 'function') {
      return { type: checkSendType(kind, 'options.type()', type(chunk as never)), data }
    }
    if (type !== undefined || own === undefined) return { type: this.#defaultType, data }
    return { type: checkSendType(kind, 'chunk.type', own), data }
  }
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

/** A portion at a time, so that a large write takes no second copy of itself. */
const PORTION = 64 * 1024

/** Adds the next bytes to the outbox, in messages of `size`; whether there are more. */
function pack(cursor: Cursor, type: number | bigint, size: number): boolean {
  const { chunks } = cursor
  while (cursor.index < chunks.length && outbox.used < PORTION) {
    outbox.begin()
    let room = size
    while (room > 0 && cursor.index < chunks.length) {
      const { chunk } = chunks[cursor.index] as BytesChunk
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
