/** Checks of arguments, shared by every public door: each throws an error that names the argument. */
import { argumentError } from './errors.js'

/** An options object, whatever is in it: unknown names are refused, misspelt ones with them. */
export function checkOptions<T extends object>(
  options: T | undefined,
  known: readonly (keyof T & string)[],
  name = 'options',
): T {
  if (options === undefined) return {} as T
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be an object', options)
  }
  for (const key of Object.keys(options)) {
    if (!(known as readonly string[]).includes(key)) {
      throw argumentError(
        'ERR_INVALID_ARG_VALUE',
        `${name}.${key}`,
        `is not an option here: known are ${known.join(', ')}`,
        (options as Record<string, unknown>)[key],
      )
    }
  }
  return options
}

export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a number', value)
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw argumentError(
      'ERR_OUT_OF_RANGE',
      name,
      `must be an integer from ${min} to ${max === Number.MAX_SAFE_INTEGER ? '2^53-1' : max}`,
      value,
    )
  }
  return value
}

export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a boolean', value)
  }
  return value
}

export function checkOneOf<T extends string>(name: string, value: unknown, known: readonly T[]): T {
  if (!known.includes(value as T)) {
    throw argumentError('ERR_INVALID_ARG_VALUE', name, `must be one of ${known.join(', ')}`, value)
  }
  return value as T
}

export function checkSignal(name: string, value: unknown): AbortSignal {
  if (!(value instanceof AbortSignal)) {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be an AbortSignal', value)
  }
  return value
}

/** Permission bits, as in chmod(2). */
export function checkMode(name: string, value: unknown): number {
  return checkInteger(name, value, 0, 0o777)
}

/** The longest time that Node's timers take: 24.8 days. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** Milliseconds; `Infinity` is no limit. */
export function checkTimeout(name: string, value: unknown): number | undefined {
  if (value === Number.POSITIVE_INFINITY) return undefined
  if (typeof value !== 'number') {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a number of milliseconds', value)
  }
  if (!(value >= 0 && value <= LONGEST_TIMEOUT)) {
    throw argumentError('ERR_OUT_OF_RANGE', name, `must be from 0 to ${LONGEST_TIMEOUT}`, value)
  }
  return value
}
