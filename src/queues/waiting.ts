/** A promise for something that the kernel does in its own time, with a way to give it up. */
import { AbortError, QueueError } from '../errors.js'
import { checkSignal, checkTimeout } from '../options.js'

export interface WaitOptions {
  /** Rejects with an `AbortError`. */
  signal?: AbortSignal
  /** Milliseconds until it rejects with `ETIMEDOUT`. Default: none. */
  timeout?: number
}

export interface Attempt<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/** The limits of a wait, checked. */
interface WaitLimits {
  signal: AbortSignal | undefined
  timeout: number | undefined
}

const unlimited: WaitLimits = { signal: undefined, timeout: undefined }

/** Throws the `AbortError` of a signal that is aborted already. */
export function checkWaiting({ signal, timeout }: WaitOptions): WaitLimits {
  if (signal === undefined && timeout === undefined) return unlimited
  if (signal !== undefined) checkSignal('options.signal', signal)
  const limit = timeout === undefined ? undefined : checkTimeout('options.timeout', timeout)
  if (signal?.aborted) throw new AbortError(signal.reason)
  return { signal, timeout: limit }
}

/**
 * `start` begins and returns how to give up for a reason; giving up ends in `reject`, or in `resolve`
 * where the kernel was quicker.
 */
export function waiting<T>(
  { signal, timeout }: WaitLimits,
  where: { syscall: string; address: string; keepsAlive: boolean },
  start: (attempt: Attempt<T>) => (reason: Error) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal === undefined && timeout === undefined) {
      start({ resolve, reject })
      return
    }
    let timer: NodeJS.Timeout | undefined
    let giveUp: ((reason: Error) => void) | undefined
    const abort = () => giveUp?.(new AbortError(signal?.reason))
    const settle = () => {
      giveUp = undefined
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    let settled = false
    const begun = start({
      resolve(value) {
        settled = true
        settle()
        resolve(value)
      },
      reject(error) {
        settled = true
        settle()
        reject(error)
      },
    })
    if (settled) return
    giveUp = begun
    signal?.addEventListener('abort', abort, { once: true })
    if (timeout === undefined) return
    timer = setTimeout(() => giveUp?.(new QueueError('ETIMEDOUT', where)), timeout)
    if (!where.keepsAlive) timer.unref()
  })
}
