/**
 * Standard output, with an account of every byte: whoever is interrupted, or loses its reader, knows
 * what was written and what was not. With `dontBlock()` a full pipe never holds up the process, so
 * signals are heard.
 */
import { constants, fstatSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { isatty, WriteStream } from 'node:tty'
import { openPipeAgain } from './pipe.js'

const STDOUT = 1

/** PIPE_BUF of pipe(7): a write of that much is made whole or not at all. */
const ATOMIC = 4096

/** How many bytes went, and why not all of them. */
export interface Written {
  count: number
  error?: Error
}

export class Output {
  readonly terminal = isatty(STDOUT)
  #fd = STDOUT
  #mayBlock = true
  #stream: Writable | undefined

  /** Prepares for a reader that is slower than we are. */
  dontBlock(): this {
    const file = fstatSync(STDOUT)
    const again = file.isFIFO() ? openPipeAgain(STDOUT, constants.O_WRONLY) : undefined
    // Where it cannot be opened, the shared one must do.
    if (again !== undefined) this.#fd = again
    if (file.isFIFO() || file.isSocket()) this.#stream = this.#open()
    this.#mayBlock = this.terminal || file.isSocket() || (file.isFIFO() && again === undefined)
    return this
  }

  /** For a thread to write to; undefined where that might block it for ever. */
  get descriptor(): number | undefined {
    return this.#mayBlock ? undefined : this.#fd
  }

  /** Writes all, or as much as goes until the signal is aborted or the reader is gone. */
  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<Written> {
    let count = 0
    try {
      while (count < bytes.length) {
        count += this.#writeNow(bytes, count) || (await this.#writeWhenReady(bytes, count, signal))
        if (signal?.aborted) break
      }
    } catch (error) {
      return { count, error: error as Error }
    }
    return { count }
  }

  /** How many bytes went at once; 0 where there is no room. */
  #writeNow(bytes: Uint8Array, at: number): number {
    try {
      return writeSync(this.#fd, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
      throw error
    }
  }

  close(): void {
    this.#stream?.destroy()
  }

  /** Only a stream can wait until there is room, and it does so by writing. */
  #writeWhenReady(bytes: Uint8Array, at: number, signal?: AbortSignal): Promise<number> {
    if (signal?.aborted) return Promise.resolve(0)
    this.#stream ??= this.#open()
    const stream = this.#stream
    const piece = bytes.subarray(at, at + ATOMIC)
    return new Promise((resolve, reject) => {
      // A write that has not called back is not made. Destroyed, it would call back without an error.
      const abort = () => {
        resolve(0)
        stream.destroy()
      }
      signal?.addEventListener('abort', abort, { once: true })
      stream.write(piece, (error) => {
        signal?.removeEventListener('abort', abort)
        if (error) reject(error)
        else resolve(piece.length)
      })
    })
  }

  #open(): Writable {
    const fd = this.#fd
    const stream = this.terminal ? new WriteStream(fd) : new Socket({ fd, readable: false })
    // The write that fails rejects; the event says the same once more.
    return stream.on('error', () => {})
  }
}

/** Prints text. */
export async function print(text: string): Promise<void> {
  const output = new Output()
  const { error } = await output.write(Buffer.from(text))
  output.close()
  if (error) throw error
}
