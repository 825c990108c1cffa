/** Message types as arguments: which to send, and which to receive. */

import { argumentError, QueueError } from '../errors.js'
import { checkBoolean } from '../options.js'
import type { Driver, Selector } from './driver.js'

const MAX_MTYPE = 2n ** 63n - 1n
/** MQ_PRIO_MAX - 1 on Linux. */
export const MAX_PRIORITY = 32767

/** The type of a message to be sent: System V 1 … 2⁶³−1, POSIX priority 0 … 32767. */
export function checkSendType(kind: Driver['kind'], name: string, type: unknown): number | bigint {
  if (kind === 'sysv') {
    if (typeof type === 'number') {
      if (Number.isSafeInteger(type) && type >= 1) return type
    } else if (typeof type !== 'bigint') {
      throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a number or a bigint', type)
    } else if (type >= 1n && type <= MAX_MTYPE) {
      return type
    }
    const range = 'must be an integer from 1 to 2^53-1 (as a bigint, to 2^63-1)'
    throw argumentError('ERR_OUT_OF_RANGE', name, range, type)
  }
  const priority = typeof type === 'bigint' ? Number(type) : type
  if (typeof priority !== 'number') {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a number or a bigint', type)
  }
  if (!Number.isInteger(priority) || priority < 0 || priority > MAX_PRIORITY) {
    const range = `must be a priority from 0 to ${MAX_PRIORITY}`
    throw argumentError('ERR_OUT_OF_RANGE', name, range, type)
  }
  return priority
}

export function defaultSendType(kind: Driver['kind']): number {
  return kind === 'sysv' ? 1 : 0
}

export interface SelectionOptions {
  /**
   * Which messages, as `msgtyp` of msgop(2): 0 any (default), n > 0 exactly n, n < 0 the lowest type
   * that is at most |n|. POSIX queues cannot select: any other than 0 is `ENOTSUP`.
   */
  type?: number | bigint
  /** With type n > 0: every type but n. */
  except?: boolean
}

/** Which messages to receive. */
export function checkSelection(
  driver: Driver,
  options: SelectionOptions,
  name = 'options',
): Selector {
  const type = checkSelectionType(`${name}.type`, options.type)
  const except =
    options.except === undefined ? false : checkBoolean(`${name}.except`, options.except)
  if (driver.kind === 'posix' && (type !== 0 || except)) {
    throw notSupported(
      driver,
      'a POSIX queue cannot select messages by type',
      'queue.demultiplex() hands the messages of one receive loop to a stream for each type',
    )
  }
  if (except && type <= 0) {
    throw argumentError(
      'ERR_INVALID_ARG_VALUE',
      `${name}.except`,
      'needs a type above 0 to leave out',
      type,
    )
  }
  return { type, except }
}

function checkSelectionType(name: string, type: unknown): number | bigint {
  if (type === undefined) return 0
  if (typeof type === 'number') {
    if (Number.isSafeInteger(type)) return type
  } else if (typeof type !== 'bigint') {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a number or a bigint', type)
  } else if (type >= -MAX_MTYPE && type <= MAX_MTYPE) {
    return type === 0n ? 0 : type
  }
  const range = 'must be an integer from -(2^53-1) to 2^53-1 (as a bigint, 2^63-1)'
  throw argumentError('ERR_OUT_OF_RANGE', name, range, type)
}

/** What the other kind alone has. */
export function notSupported(driver: Driver, message: string, hint: string): QueueError {
  return new QueueError('ENOTSUP', { address: driver.address, message, hint })
}
