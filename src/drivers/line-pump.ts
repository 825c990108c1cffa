/**
 * Lines between a file descriptor and a queue, moved by a thread of the addon's. What is not for it to decide
 * comes back with all that it has in hand.
 */
import { getSystemErrorMap } from 'node:util'
import { native, type PumpedInput, type PumpedLines, type PumpProgress } from '../binding/native.js'
import { errno, errnoName, QueueError } from '../errors.js'
import type { Frame } from '../frame.js'
import type { Driver } from './driver.js'
import { noThread } from './hints.js'
import { Inbox } from './records.js'
import { checkSelection, defaultSendType, type SelectionOptions } from './selection.js'

interface Outcome {
  /** The input has ended, or the end mark has come. */
  ended: boolean
  error?: Error
}

export class LinePump {
  readonly #driver: Driver
  readonly #pump = new native.LinePump()
  /** By the end of the last run. */
  #progress: PumpProgress = { bytes: 0, records: 0, atQueue: false }
  #cancelled = false

  constructor(driver: Driver) {
    this.#driver = driver
  }

  /**
   * Sends lines, as many whole ones in a message as fit into `size` bytes (`pack`), or one. `begun` is what of a
   * line was read before. `rest` was read and not sent: the beginning of a line at the end, a line that is no
   * message as it is, or what was next when it was cancelled or failed.
   */
  async toQueue(
    type: number | bigint | undefined,
    lines: PumpedInput,
    begun: Buffer,
  ): Promise<Outcome & { rest: Buffer }> {
    const driver = this.#driver
    const queue = driver.pumped(type ?? defaultSendType(driver.kind))
    const check = driver.whenShrunk(lines.size, () => this.#pump.cancel())
    try {
      const { status, rest } = await this.#run(() => this.#pump.toQueue(queue, lines, begun))
      return { rest, ...this.#outcome(status, driver.sendCall, 'read') }
    } finally {
      clearInterval(check)
    }
  }

  /** Reads once: `rest` is all that it read. */
  read(lines: Omit<PumpedInput, 'size'>): Promise<Outcome & { rest: Buffer }> {
    return this.toQueue(undefined, { ...lines, size: 0 }, Buffer.alloc(0))
  }

  /** Writes messages as lines. `rest` was received and not written, or the first of them in part. */
  async fromQueue(
    selection: SelectionOptions,
    lines: Omit<PumpedLines, 'size'> & { eof: boolean },
  ): Promise<Outcome & { rest: Frame[] }> {
    const driver = this.#driver
    const { type, except } = checkSelection(driver, selection)
    const queue = driver.pumped(type, except)
    this.#cancelled = false
    for (;;) {
      const { status, rest, count } = await this.#run(() =>
        this.#pump.fromQueue(queue, { ...lines, size: driver.longest() }),
      )
      const tooLong = status === -errno.E2BIG
      if (!tooLong || this.#cancelled) {
        const over = tooLong ? -errno.ECANCELED : status
        return { rest: framesOf(rest, count), ...this.#outcome(over, driver.receiveCall, 'write') }
      }
      driver.grow()
    }
  }

  cancel(): void {
    this.#cancelled = true
    this.#pump.cancel()
  }

  /** How far it has come, in all runs together. */
  get progress(): PumpProgress {
    const running = this.#pump.progress()
    return running ? this.#sum(running) : this.#progress
  }

  #sum({ bytes, records, atQueue }: PumpProgress): PumpProgress {
    return {
      bytes: this.#progress.bytes + bytes,
      records: this.#progress.records + records,
      atQueue,
    }
  }

  #run(begin: () => number): Promise<{ status: number; rest: Buffer; count: number }> {
    return new Promise((resolve, reject) => {
      this.#pump.ondone = (status, rest, count, progress) => {
        this.#progress = this.#sum(progress)
        resolve({ status, rest, count })
      }
      const failed = begin()
      if (failed) reject(this.#startError(failed))
    })
  }

  #startError(failed: number): QueueError {
    const { address } = this.#driver
    const why = failed === -errno.ENOMEM ? { syscall: 'malloc' } : noThread
    return new QueueError(errnoName(-failed), { syscall: 'pthread_create', address, ...why })
  }

  #outcome(status: number, queueCall: string, fileCall: string): Outcome {
    if (status >= 0 || status === -errno.ECANCELED) return { ended: status === 0 }
    const error = this.#progress.atQueue
      ? this.#driver.error(status, queueCall)
      : fileError(status, fileCall)
    return { ended: false, error }
  }
}

/** As `node:fs` would say it. */
function fileError(failed: number, syscall: string): Error {
  const [code, message] = getSystemErrorMap().get(failed) ?? [`${failed}`, 'unknown error']
  return Object.assign(new Error(`${code}: ${message}, ${syscall}`), {
    code,
    syscall,
    errno: failed,
  })
}

function framesOf(records: Buffer, count: number): Frame[] {
  const taken = new Inbox(records.length).take(0, true, (slab, offset) => {
    slab.set(records, offset)
    return count
  })
  return typeof taken === 'number' ? [] : taken.frames
}
