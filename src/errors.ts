/**
 * What can go wrong. A refusal of the kernel's, and whatever ends a wait or a stream, is a
 * {@link QueueError}; a wrong argument is a `TypeError` or `RangeError` with one of Node's codes.
 */
import { constants } from 'node:os'
import type { Frame } from './frame.js'

/** The errno of each name, as the kernel counts them (positive). */
export const errno = constants.errno as typeof constants.errno & Record<string, number>

const names = new Map(Object.entries(errno).map(([name, number]) => [number, name]))
// EAGAIN and EWOULDBLOCK, ENOTSUP and EOPNOTSUPP share a number on Linux.
names.set(errno.EAGAIN, 'EAGAIN')
names.set(errno.ENOTSUP, 'ENOTSUP')

export function errnoName(number: number): string {
  return names.get(number) ?? `errno ${number}`
}

const words: Record<string, string> = {
  EACCES: 'permission denied',
  EAGAIN: 'the queue is full or empty',
  EBADF: 'the queue is not open for this direction',
  EBUSY: 'another registration exists',
  EEXIST: 'the queue exists already',
  EIDRM: 'the queue was removed',
  EINVAL: 'invalid argument',
  EMFILE: 'too many queues or open files',
  EMSGSIZE: 'the message is longer than the queue takes',
  ENFILE: 'too many open files on the system',
  ENOENT: 'there is no such queue',
  ENOMEM: 'out of memory',
  ENOSPC: 'no space for another queue',
  ENOSYS: 'the kernel does not have this call',
  ENOTSUP: 'this kind of queue cannot do that',
  EPERM: 'operation not permitted',
  ETIMEDOUT: 'timed out',
  ERR_QUEUE_CLOSED: 'the queue handle is closed',
  ERR_FRAMES_LOST: 'frames taken from the queue could not be put back',
  ERR_INVALID_MESSAGE: 'a message could not be decoded',
  ERR_ACK_CONFLICT: 'another consumer takes from this queue',
}

export interface QueueErrorDetails {
  syscall?: string
  address?: string
  /** In place of the usual words for the code. */
  message?: string
  hint?: string | undefined
  frames?: Frame[]
  frame?: Frame
  cause?: unknown
}

/**
 * A call on a queue failed. `code` is the errno's name (`'EAGAIN'`, `'EIDRM'`, …), or
 *
 * - `ERR_QUEUE_CLOSED`: the handle was closed
 * - `ERR_FRAMES_LOST`: frames were taken and could not be put back; `frames` holds them
 * - `ERR_INVALID_MESSAGE`: a message does not decode; `frame` holds it
 * - `ERR_ACK_CONFLICT`: a second consumer disturbed a reader with `ack: true`
 */
export class QueueError extends Error {
  override readonly name = 'QueueError'
  readonly code: string
  /** Negative, as in Node's own system errors; absent where `code` is none of the system's. */
  declare readonly errno?: number
  /** The system call or library function, as in its man page. */
  declare readonly syscall?: string
  /** The queue, as `queue.address` writes it. */
  declare readonly address?: string
  /** Which limit stands in the way, its value now, and what to do. */
  declare readonly hint?: string
  /** What the failed stream held unread. */
  declare frames?: Frame[]
  /** The message that does not decode. */
  declare readonly frame?: Frame

  constructor(code: string, details: QueueErrorDetails = {}) {
    const { syscall, address, message = words[code] ?? code, hint, frames, frame, cause } = details
    const where = [syscall, address].filter(Boolean).join(' ')
    super(
      `${message} (${code}${where && `: ${where}`})`,
      cause === undefined ? undefined : { cause },
    )
    this.code = code
    if (errno[code] !== undefined) this.errno = -errno[code]
    if (syscall !== undefined) this.syscall = syscall
    if (address !== undefined) this.address = address
    if (hint !== undefined) this.hint = hint
    if (frames !== undefined) this.frames = frames
    if (frame !== undefined) this.frame = frame
  }
}

/** Ends a wait whose `signal` was aborted; `cause` is the signal's reason. As in Node's own APIs. */
export class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'

  constructor(reason: unknown) {
    super('The operation was aborted', { cause: reason })
  }
}

type ArgumentCode = 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_OUT_OF_RANGE'

/** The error for a wrong argument, named as in the documentation: `options.type`, `address`. */
export function argumentError(
  code: ArgumentCode,
  name: string,
  problem: string,
  value: unknown,
): TypeError & { code: ArgumentCode } {
  const message = `The argument "${name}" ${problem}. Received ${describe(value)}`
  const error = code === 'ERR_OUT_OF_RANGE' ? new RangeError(message) : new TypeError(message)
  return Object.assign(error, { code })
}

function describe(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'symbol') return value.toString()
  if (typeof value !== 'object' || value === null) return String(value)
  return `an instance of ${value.constructor?.name ?? 'an object without a prototype'}`
}
