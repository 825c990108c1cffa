/** What went wrong, as one line on standard error and an exit code. */
import { constants } from 'node:os'
import { say } from './notes.js'

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {}

/** The command was ended by a signal: exit code 128 + n, and nothing to say. */
export class Stopped extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(`ended by ${signal}`)
  }
}

/** Some of what was asked for failed, and each has been reported: exit code 1. */
export class Reported extends Error {}

const DONE = 0
const REFUSED = 1
const WRONG_USAGE = 2

interface Failure extends Error {
  code?: string
  syscall?: string
  hint?: string
  /** Of the queue, where the failure is its. */
  address?: string
  /** Of commander's. */
  exitCode?: number
}

/** Reports an error, if there is something to say, and tells how the process is to exit. */
export function exitCodeOf(error: unknown): number {
  const failure = error as Failure
  const { code = '' } = failure
  if (code.startsWith('commander.')) return failure.exitCode === 0 ? DONE : WRONG_USAGE
  if (error instanceof Stopped) return 128 + constants.signals[error.signal]
  // Whoever read our output has gone: as the signal would, were it not ignored in Node.
  if (code === 'EPIPE' && failure.syscall === 'write') return 128 + constants.signals.SIGPIPE
  if (error instanceof Reported) return REFUSED
  report(error)
  return isUsage(error) ? WRONG_USAGE : REFUSED
}

/** One line: what, which queue, the hint. */
export function report(error: unknown): void {
  const { code, address, hint = address && hints[code ?? ''] } = error as Failure
  const message = isUsage(error) ? inShellWords(error as Failure) : (error as Failure).message
  const line = hint === undefined ? message : `${message}: ${hint}`
  say(`kmq: ${line.replace(/\s*\n\s*/g, ' ')}\n`)
}

const hints: Record<string, string> = {
  ENOENT: 'kmq create makes a queue, kmq ls lists those that exist',
}

/** An address or a number that cannot be one is found by the library. */
function isUsage(error: unknown): boolean {
  const { code = '' } = error as Failure
  return (
    error instanceof UsageError ||
    code.startsWith('ERR_INVALID_ARG_') ||
    code === 'ERR_OUT_OF_RANGE'
  )
}

/** The library names its own options: those of the command are what was typed. */
function inShellWords({ message }: Error): string {
  return message
    .replace(/^The argument "limits\.\w+\.(\w+)"/, '$1')
    .replace(/^The argument "(?:options|configuration)\.(\w+)"/, (_, name) => flagOf(name))
    .replace(/is not an option here: known are [^.]*/, 'is not for this kind of queue')
}

const flags: Record<string, string> = { highWaterMark: '--window', inFlight: '--window' }

/** `--max-bytes` of `maxBytes`. */
function flagOf(name: string): string {
  return flags[name] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
