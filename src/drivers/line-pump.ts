/**
 * Lines between a file descriptor and a queue, moved by a thread of the addon's. What is not for it to decide
 * comes back with all that it has in hand.
 */
import { getSystemErrorMap } from 'node:util'
import { native, type PumpedLines } from '../binding/native.js'
import { errno } from '../errors.js'
import type { Frame } from '../frame.js'
import type { Driver } from './driver.js'
import { Inbox } from './records.js'
import { checkSelection, defaultSendType, type SelectionOptions } from './selection.js'

/** The descriptor is a file's, or does not block. */
export type Lines = Omit<PumpedLines, 'size'>

interface Outcome {
  /** The input has ended, or the end mark has come. */
  ended: boolean
  error?: Error
}

export class LinePump {
  readonly #driver: Driver
  readonly #pump = new native.LinePump()
  /** Of the runs before. */
  #before = { bytes: 0, records: 0 }

  constructor(driver: Driver) {
    this.#driver = driver
  }

  /**
   * Sends lines, as many whole ones in a message as fit into `size` bytes. `begun` is what of a line was read
   * before. `rest` was read and not sent: the beginning of a line at the end, a line that is no message as it
   * is, or what was next when it was cancelled or failed. With a size of 0 it reads once.
   */
  async toQueue(
    type: number | bigint | undefined,
    lines: Lines & { size: number; pack: boolean; count: boolean },
    begun: Buffer,
  ): Promise<Outcome & { rest: Buffer }> {
    const driver = this.#driver
    const queue = driver.pumped(type ?? defaultSendType(driver.kind))
    const check = driver.whenShrunk(lines.size, () => this.cancel())
    try {
      const { status, ofQueue, rest } = await this.#run(() =>
        this.#pump.toQueue(queue, lines, begun),
      )
      return { rest, ...this.#outcome(status, ofQueue ? driver.sendCall : 'read') }
    } finally {
      clearInterval(check)
    }
  }

  /** Writes messages as lines. `rest` was received and not written, or the first of them in part. */
  async fromQueue(
    selection: SelectionOptions,
    lines: Lines & { eof: boolean },
  ): Promise<Outcome & { rest: Frame[] }> {
    const driver = this.#driver
    const { type, except } = checkSelection(driver, selection)
    for (;;) {
      const { status, ofQueue, rest, count } = await this.#run(() =>
        this.#pump.fromQueue(driver.pumped(type, except), { ...lines, size: driver.longest() }),
      )
      if (status === -errno.E2BIG) driver.grow()
      else {
        const outcome = this.#outcome(status, ofQueue ? driver.receiveCall : 'write')
        return { rest: framesOf(rest, count), ...outcome }
      }
    }
  }

  cancel(): void {
    this.#pump.cancel()
  }

  /** How far it has come: bytes read or written, lines (if counted) or messages, and what it waits for. */
  get progress(): { bytes: number; records: number; atQueue: boolean } {
    const [bytes, records, atQueue] = this.#pump.progress()
    return { bytes: this.#before.bytes + bytes, records: this.#before.records + records, atQueue }
  }

  #run(
    begin: () => number,
  ): Promise<{ status: number; ofQueue: boolean; rest: Buffer; count: number }> {
    this.#before = this.progress
    return new Promise((resolve, reject) => {
      this.#pump.ondone = (status, ofQueue, rest, count) =>
        resolve({ status, ofQueue, rest, count })
      const failed = begin()
      if (failed) reject(this.#driver.error(failed, 'pthread_create'))
    })
  }

  #outcome(status: number, syscall: string): Outcome {
    if (status >= 0 || status === -errno.ECANCELED) return { ended: status === 0 }
    const ofQueue = syscall !== 'read' && syscall !== 'write'
    const error = ofQueue ? this.#driver.error(status, syscall) : fileError(status, syscall)
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
