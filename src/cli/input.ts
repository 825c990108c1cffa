/** Standard input, or a file, in chunks. */
import { closeSync, createReadStream, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { addAbortSignal } from 'node:stream'
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
