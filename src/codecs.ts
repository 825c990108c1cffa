/** How the data of a message becomes a value and back. */
import { argumentError } from './errors.js'
import type { Frame } from './frame.js'
import { require } from './package.js'

const parseJson: typeof import('secure-json-parse') = require('secure-json-parse')

export interface Codec<T> {
  encode(value: T): Uint8Array | string
  decode(data: Buffer): T
}

export type CodecName = 'buffer' | 'utf8' | 'json'

/** What is sent as it is. */
export type Data = string | NodeJS.ArrayBufferView

/** `more`: what else it might have been. */
export function checkData(name: string, data: unknown, more = ''): asserts data is Data {
  if (typeof data === 'string' || ArrayBuffer.isView(data)) return
  const wanted = `must be a string, a Buffer or another ArrayBufferView${more}`
  throw argumentError('ERR_INVALID_ARG_TYPE', name, wanted, data)
}

const identity: Codec<Buffer> = { encode: (value) => value, decode: (data) => data }

const utf8: Codec<string> = {
  encode(value) {
    if (typeof value === 'string') return value
    throw argumentError('ERR_INVALID_ARG_TYPE', 'chunk', 'must be a string for codec utf8', value)
  },
  decode: (data) => data.toString(),
}

const json: Codec<unknown> = {
  encode(value) {
    let text: string | undefined
    let cause: unknown
    try {
      text = JSON.stringify(value)
    } catch (error) {
      // A bigint, a circle, or what a toJSON() throws.
      cause = error
    }
    if (text !== undefined) return text
    const error = argumentError('ERR_INVALID_ARG_VALUE', 'chunk', 'must have a JSON form', value)
    throw cause === undefined ? error : Object.assign(error, { cause })
  },
  // Whoever may write to the queue chooses these bytes: __proto__ and constructor.prototype are
  // dropped, so that merging a message into an object cannot change what all objects inherit.
  decode: (data) =>
    parseJson.parse(data.toString(), null, { protoAction: 'remove', constructorAction: 'remove' }),
}

const named = { buffer: identity, utf8, json } as Record<CodecName, Codec<never>>

export function checkCodec(name: string, value: unknown): Codec<unknown> {
  if (value === undefined) return identity as Codec<unknown>
  if (typeof value === 'string' && Object.hasOwn(named, value)) {
    return named[value as CodecName] as Codec<unknown>
  }
  const codec = value as Partial<Codec<unknown>> | null
  if (
    typeof codec === 'object' &&
    typeof codec?.encode === 'function' &&
    typeof codec.decode === 'function'
  ) {
    return codec as Codec<unknown>
  }
  throw argumentError(
    'ERR_INVALID_ARG_VALUE',
    name,
    "must be 'buffer', 'utf8', 'json' or an object with encode and decode",
    value,
  )
}

export function isIdentity(codec: Codec<unknown>): boolean {
  return codec === (identity as Codec<unknown>)
}

// A decoded frame that nobody has read goes back to the kernel as the bytes it came in.
const raws = new WeakMap<Frame<unknown>, Frame>()

/** The frame with its data decoded; throws what the codec throws. */
export function decodeFrame<T>(codec: Codec<T>, raw: Frame): Frame<T> {
  if (isIdentity(codec as Codec<unknown>)) return raw as unknown as Frame<T>
  const frame = raw.withData(codec.decode(raw.data))
  raws.set(frame, raw)
  return frame
}

/** The frame as it came from the kernel. */
export function rawFrame(frame: Frame<unknown>): Frame {
  return raws.get(frame) ?? (frame as Frame)
}
