/** Standard input, or a file, as a stream of chunks. */
import { createReadStream, fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'

/** Large enough that reading costs little, small enough for constant memory. */
const CHUNK = 256 * 1024

export function openInput(file: string | undefined): Readable {
  if (file !== undefined) return createReadStream(file, { highWaterMark: CHUNK })
  if (fstatSync(0).isFile()) return createReadStream('', { fd: 0, highWaterMark: CHUNK })
  return process.stdin
}
