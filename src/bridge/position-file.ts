/**
 * How far a stream has come into a kernel queue: one number, noted after each message that the kernel
 * took. The consumer in JetStream knows the same a little later, by acknowledgements that a kill loses.
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { assertUnused, thisProcess } from './identity.js'

const NUMBER_BYTES = 8

export class PositionFile {
  /** The last message noted by an earlier run, 0 for none. */
  readonly last: number
  readonly #fd: number
  readonly #note = Buffer.alloc(NUMBER_BYTES)

  /** `of` names the stream's life and the consumer: a note about another one says nothing. */
  constructor(path: string, of: string) {
    mkdirSync(dirname(path), { recursive: true })
    this.last = readPosition(path, of)
    const temporary = `${path}.${process.pid}.new`
    this.#fd = openSync(temporary, 'w', 0o600)
    try {
      this.note(this.last)
      writeSync(this.#fd, `${of}\n${thisProcess()}`, NUMBER_BYTES)
      renameSync(temporary, path)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  note(sequence: number): void {
    this.#note.writeBigUInt64LE(BigInt(sequence))
    writeSync(this.#fd, this.#note, 0, NUMBER_BYTES, 0)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function readPosition(path: string, of: string): number {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
  if (bytes.length < NUMBER_BYTES) return 0
  const [about, writer = ''] = bytes.toString('utf8', NUMBER_BYTES).split('\n')
  assertUnused(path, writer)
  if (about !== of) return 0
  return Number(bytes.readBigUInt64LE())
}
