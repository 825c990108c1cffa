/** The options of streams: defaults, types, ranges. */
import { type Codec, type CodecName, checkCodec, isIdentity } from '../codecs.js'
import type { Driver, Selector } from '../drivers/driver.js'
import {
  checkSelection,
  checkSendType,
  notSupported,
  type SelectionOptions,
} from '../drivers/selection.js'
import { argumentError } from '../errors.js'
import { checkBoolean, checkInteger, checkOptions, checkSignal } from '../options.js'
import type { IntakeOptions } from './intake.js'
import type { OutletOptions, TypeOf } from './outlet.js'

const HIGH_WATER_MARK = 16
/** Bytes that a byte-mode writable collects: as node:stream's default. */
const BYTES_HIGH_WATER_MARK = 64 * 1024
const MAX_HIGH_WATER_MARK = 2 ** 31 - 1

export interface ReadableOptions<T = Buffer> extends SelectionOptions {
  /** Types as bigints, exact above 2⁵³−1. Default `false`. */
  bigint?: boolean
  /**
   * How many messages are taken from the kernel ahead of the consumer, at most. Default 16; 0 takes one
   * only when it is asked for. In byte mode it counts bytes, and is 0 by default: bytes that are taken
   * cannot be put back.
   */
  highWaterMark?: number
  /** How data becomes a value: `'buffer'` (default), `'utf8'`, `'json'`, or a codec of your own. */
  codec?: CodecName | Codec<T>
  /** End at an empty message. Default `false`: it is a frame as any other. */
  eof?: boolean
  /** `false`: byte mode, chunks of bytes in place of frames. Default `true`. */
  objectMode?: boolean
  /** System V: a message leaves the queue only by `frame.ack()`. Default `false`. */
  ack?: boolean
  /** Put unread frames back when the stream is destroyed. Default `true`; `false` discards them. */
  requeue?: boolean
  /** Destroys the stream with an `AbortError`. */
  signal?: AbortSignal
}

export interface WritableOptions<T = unknown> {
  /**
   * The type of every message, or a function of the chunk that gives it; wins over a frame's own type.
   * Default 1 (System V), 0 (POSIX).
   */
  type?: TypeOf
  /** Default 16 messages (in byte mode 64 KiB). */
  highWaterMark?: number
  codec?: CodecName | Codec<T>
  /** Send an empty message on `end()`. Default `false`. */
  eof?: boolean
  /** `false`: byte mode, writes are split and coalesced. Default `true`. */
  objectMode?: boolean
  /** Destroys the stream with an `AbortError`. */
  signal?: AbortSignal
}

export interface CheckedReadable extends IntakeOptions {
  selector: Selector
  ack: boolean
  signal: AbortSignal | undefined
}

export interface CheckedWritable extends OutletOptions {
  highWaterMark: number
  signal: AbortSignal | undefined
}

export const readableOptionNames = [
  'type',
  'except',
  'bigint',
  'highWaterMark',
  'codec',
  'eof',
  'objectMode',
  'ack',
  'requeue',
  'signal',
] as const

export function checkReadable(
  driver: Driver,
  given: ReadableOptions<unknown> | undefined,
  name = 'options',
): CheckedReadable {
  const options = checkOptions(given, readableOptionNames, name)
  const flag = flagsOf(options, name)
  const objectMode = flag('objectMode', true)
  const checked: CheckedReadable = {
    selector: checkSelection(driver, options, name),
    bigint: flag('bigint', false),
    highWaterMark: checkHighWaterMark(
      `${name}.highWaterMark`,
      options.highWaterMark,
      objectMode ? HIGH_WATER_MARK : 0,
    ),
    codec: checkCodec(`${name}.codec`, options.codec),
    eof: flag('eof', false),
    objectMode,
    ack: flag('ack', false),
    requeue: flag('requeue', true),
    signal:
      options.signal === undefined ? undefined : checkSignal(`${name}.signal`, options.signal),
  }
  if (checked.ack) checkAck(driver, checked, name)
  checkByteMode(checked, name)
  return checked
}

/** Reads what is true or false among the options, with its default. */
function flagsOf<O extends object>(options: O, name: string) {
  return (option: keyof O & string, otherwise: boolean): boolean => {
    const value = options[option]
    return value === undefined ? otherwise : checkBoolean(`${name}.${option}`, value)
  }
}

function checkAck(driver: Driver, { objectMode, selector }: CheckedReadable, name: string): void {
  if (driver.kind === 'posix') {
    throw notSupported(
      driver,
      'a POSIX queue has no ack mode: the kernel cannot show a message and keep it',
      'use a System V queue',
    )
  }
  if (!objectMode) {
    const problem = 'needs frames to acknowledge: objectMode true'
    throw argumentError('ERR_INVALID_ARG_VALUE', `${name}.ack`, problem, true)
  }
  if (selector.type < 0) {
    const problem = 'must be 0 or above with ack: messages are looked at in their order of arrival'
    throw argumentError('ERR_INVALID_ARG_VALUE', `${name}.type`, problem, selector.type)
  }
}

function checkByteMode(
  { objectMode, codec }: { objectMode: boolean; codec: Codec<unknown> },
  name: string,
): void {
  if (objectMode || isIdentity(codec)) return
  const problem = 'has no meaning in byte mode (objectMode: false)'
  throw argumentError('ERR_INVALID_ARG_VALUE', `${name}.codec`, problem, codec)
}

function checkHighWaterMark(name: string, value: number | undefined, otherwise: number): number {
  return value === undefined ? otherwise : checkInteger(name, value, 0, MAX_HIGH_WATER_MARK)
}

const writableOptionNames = [
  'type',
  'highWaterMark',
  'codec',
  'eof',
  'objectMode',
  'signal',
] as const

export function checkWritable(
  driver: Driver,
  given: WritableOptions<unknown> | undefined,
  name = 'options',
): CheckedWritable {
  const options = checkOptions(given, writableOptionNames, name)
  const { type, signal } = options
  const flag = flagsOf(options, name)
  const objectMode = flag('objectMode', true)
  const checked: CheckedWritable = {
    type:
      type === undefined || typeof type === 'function'
        ? type
        : checkSendType(driver.kind, `${name}.type`, type),
    highWaterMark: checkHighWaterMark(
      `${name}.highWaterMark`,
      options.highWaterMark,
      objectMode ? HIGH_WATER_MARK : BYTES_HIGH_WATER_MARK,
    ),
    codec: checkCodec(`${name}.codec`, options.codec),
    eof: flag('eof', false),
    objectMode,
    signal: signal === undefined ? undefined : checkSignal(`${name}.signal`, signal),
  }
  checkByteMode(checked, name)
  if (typeof type === 'function' && (!objectMode || checked.eof)) {
    const problem = `must be a number with ${objectMode ? 'eof' : 'objectMode: false'}`
    throw argumentError('ERR_INVALID_ARG_VALUE', `${name}.type`, problem, type)
  }
  return checked
}
