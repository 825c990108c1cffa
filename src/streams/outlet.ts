/** The way out, from a writable to the kernel. Used by every stream that writes. */
import { type Codec, type Data, isIdentity } from '../codecs.js'
import type { Channel } from '../drivers/channel.js'
import { outbox } from '../drivers/records.js'
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
}

export class Outlet {
  readonly #channel: Channel
  readonly #options: OutletOptions
  readonly #defaultType: number | bigint
  #pending: Pending | undefined
  #whenSent: (() => void) | undefined

  constructor(channel: Channel, options: OutletOptions) {
    this.#channel = channel
    this.#options = options
    const { type } = options
    this.#defaultType =
      type === undefined || typeof type === 'function' ? defaultSendType(channel.driver.kind) : type
  }

  /** `_write` in object mode: the callback means that the kernel has the message. */
  write(chunk: unknown, callback: WriteCallback): void {
    const { sender } = this.#channel
    let message: { type: number | bigint; data: Data }
    try {
      this.#channel.assertOpen()
      message = this.#resolve(chunk)
      this.#pending = sender.send(message.type, message.data, (error) => {
        this.#sent()
        callback(error)
      })
    } catch (error) {
      callback(error as Error)
      return
    }
    if (this.#pending) return
    spend(1, outbox.used)
    // A source that never waits must not keep timers and sockets from their turn.
    if (exhausted()) proceed(callback)
    else callback()
  }

  /** `_writev` in byte mode: the bytes of all chunks in as few messages as they fit. */
  writeBytes(chunks: readonly Uint8Array[], callback: WriteCallback): void {
    this.#sendBytes({ chunks, index: 0, at: 0 }, callback)
  }

  #sendBytes(cursor: Cursor, callback: WriteCallback): void {
    const { sender, driver } = this.#channel
    try {
      this.#channel.assertOpen()
      while (pack(cursor, this.#defaultType, driver.byteMessageSize)) {
        spend(outbox.count, outbox.used)
        this.#pending = sender.sendOutbox((error) => {
          this.#sent()
          if (error) callback(error)
          else this.#sendBytes(cursor, callback)
        })
        if (this.#pending) return
      }
    } catch (error) {
      callback(error as Error)
      return
    }
    if (exhausted()) proceed(callback)
    else callback()
  }

  /** `_final`: the end-of-stream mark, if there is to be one. */
  end(callback: WriteCallback): void {
    if (this.#options.eof) this.write(new Frame(this.#defaultType, Buffer.alloc(0)), callback)
    else callback()
  }

  /** `_destroy`: a message that waits for room is given up, unless the kernel is quicker. */
  destroy(reason: Error | null, callback: () => void): void {
    if (!this.#pending) return callback()
    this.#whenSent = callback
    this.#channel.sender.cancel(this.#pending, reason ?? this.#channel.closedError())
  }

  #sent(): void {
    this.#pending = undefined
    this.#whenSent?.()
  }

  #resolve(chunk: unknown): { type: number | bigint; data: Data } {
    const { type, codec } = this.#options
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

/** Which bytes come next. */
interface Cursor {
  readonly chunks: readonly Uint8Array[]
  index: number
  at: number
}

/** A portion at a time, so that a large write takes no second copy of itself. */
const PORTION = 64 * 1024

/** Fills the outbox with the next bytes, in messages of `size`; false when there are none left. */
function pack(cursor: Cursor, type: number | bigint, size: number): boolean {
  outbox.clear()
  const { chunks } = cursor
  while (cursor.index < chunks.length && outbox.used < PORTION) {
    outbox.begin()
    let room = size
    while (room > 0 && cursor.index < chunks.length) {
      const chunk = chunks[cursor.index] as Uint8Array
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
  return outbox.count > 0
}
