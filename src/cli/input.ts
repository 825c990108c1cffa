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
    if (fstatSync(STDIN).isDirectory()) throw new Error('standard input is a directory')
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

/** A file, or a pipe that does not block. */
export interface OpenDescriptor extends Disposable {
  readonly fd: number
  /** Opened once more: its writers may all be gone, and only reading tells. */
  readonly again: boolean
}

/** The same as a descriptor for a thread to read; undefined where it has to be read in chunks. */
export function openDescriptor(file: string | undefined): OpenDescriptor | undefined {
  if (file === undefined) return openStdin()
  const stats = statSync(file)
  // A fifo is open at once, and its writer is waited for when it is read.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK
  return stats.isFile() || stats.isFIFO() ? closing(openSync(file, flags), false) : undefined
}

function openStdin(): OpenDescriptor | undefined {
  const stats = fstatSync(STDIN)
  if (stats.isFile()) return { fd: STDIN, again: false, [Symbol.dispose]() {} }
  const fd = stats.isFIFO() ? openPipeAgain(STDIN, constants.O_RDONLY) : undefined
  return fd === undefined ? undefined : closing(fd, true)
}

function closing(fd: number, again: boolean): OpenDescriptor {
  return { fd, again, [Symbol.dispose]: () => closeSync(fd) }
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
