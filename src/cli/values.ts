/** The values of options and arguments, from the text that they are given as. */
import { InvalidArgumentError } from './commander.js'

/** A whole number from 0, decimal. */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

export function parsePositive(text: string): number {
  const count = parseCount(text)
  if (count === 0) throw new InvalidArgumentError('It must be at least 1.')
  return count
}

/** A message type; beyond 2^53 as a bigint, so that none is rounded. */
export function parseType(text: string): number | bigint {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be an integer.')
  const type = Number(text)
  return Number.isSafeInteger(type) ? type : BigInt(text)
}

/** Permissions in octal, as for chmod(1). */
export function parseMode(text: string): number {
  if (!/^0?[0-7]{1,3}$/.test(text)) {
    throw new InvalidArgumentError('It must be permissions in octal, like 600.')
  }
  return Number.parseInt(text, 8)
}

/** Bytes, also as 64K, 1M or 1G of 1024 each. */
export function parseBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([KMG]?)$/i.exec(text) ?? []
  if (digits === undefined || Number(digits) === 0) {
    throw new InvalidArgumentError('It must be a number of bytes, like 8192, 64K or 1M.')
  }
  return Number(digits) * 1024 ** ' KMG'.indexOf(unit.toUpperCase() || ' ')
}

/** The longest that Node's timers take, 24.8 days: with more they would not wait at all. */
const MOST_SECONDS = 2_147_483

export function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new InvalidArgumentError(`It must be a number of seconds up to ${MOST_SECONDS}.`)
  }
  return seconds
}
