/** Standard input, or a file, in chunks. */
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs'
import { addAbortSignal } from 'node:stream'
import { openPipeAgain } from './pipe.js'
import { nextTurn } from './stopping.js'

const STDIN = 0

/** Large enough that reading costs little, small enough for constant memory. */
const CHUNK = 256 * 1024

/** A chunk is good until the next one is asked for. */
export function openInput(file: string | undefined, signal: AbortSignal): AsyncIterable<Buffer> {
  if (file === undefined) {
    return fstatSync(STDIN).isFile()
      ? readFile(STDIN, signal)
      : addAbortSignal(signal, process.stdin)
  }
  const stats = statSync(file)
  if (stats.isDirectory()) throw new Error(`${file} is a directory`)
  // To open a fifo takes as long as its writer likes: the event loop does not wait for that.
  if (!stats.isFile()) {
    return addAbortSignal(signal, createReadStream(file, { highWaterMark: CHUNK }))
  }
  return readFile(openSync(file, 'r'), signal)
}

/** What can be read without blocking, or without blocking for long: a file, or a pipe opened once more. */
export interface OpenDescriptor extends Disposable {
  readonly fd: number
}

/** The same as a descriptor for a thread to read; undefined where it has to be read in chunks. */
export function openDescriptor(file: string | undefined): OpenDescriptor | undefined {
  if (file !== undefined) return statSync(file).isFile() ? closing(openSync(file, 'r')) : undefined
  const stats = fstatSync(STDIN)
  if (stats.isFile()) return { fd: STDIN, [Symbol.dispose]() {} }
  const fd = stats.isFIFO() ? openPipeAgain(STDIN, constants.O_RDONLY) : undefined
  return fd === undefined ? undefined : closing(fd)
}

function closing(fd: number): OpenDescriptor {
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}

/** A file has its bytes at hand: a thread to wait for them, and memory for each chunk, cost more. */
async function* readFile(fd: number, signal: AbortSignal): AsyncIterable<Buffer> {
  const memory = Buffer.allocUnsafeSlow(CHUNK)
  try {
    for (;;) {
      const length = readSync(fd, memory)
      if (length === 0) return
      yield memory.subarray(0, length)
      await nextTurn()
      signal.throwIfAborted()
    }
  } finally {
    if (fd !== STDIN) closeSync(fd)
  }
}
