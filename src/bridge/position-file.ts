/**
 * How far a stream has come into a kernel queue: the last message that the kernel took, noted after
 * each. The consumer in JetStream knows the same a little later, by acknowledgements that a kill of
 * either side loses.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { assertUnused, thisProcess } from './identity.js'

/** A message of a stream, told by its time from another one that got the same number. */
export interface Place {
  sequence: number
  /** When it was stored, in milliseconds since the epoch. */
  time: number
}

/** Before the first message. */
export const START: Place = { sequence: 0, time: 0 }

const NOTE_BYTES = 16

export class PositionFile {
  /** The last message noted by an earlier run. */
  readonly last: Place
  /** What the consumer bears that the notes are about. */
  readonly id: string
  readonly #fd: number
  readonly #note = Buffer.alloc(NOTE_BYTES)

  /** `of` names the stream and the consumer: a note about another one says nothing. */
  constructor(path: string, of: string) {
    mkdirSync(dirname(path), { recursive: true })
    const { last, id } = readPosition(path, of) ?? { last: START, id: randomUUID() }
    this.last = last
    this.id = id
    const temporary = `${path}.${process.pid}.new`
    this.#fd = openSync(temporary, 'w', 0o600)
    try {
      this.note(this.last)
      writeSync(this.#fd, [of, id, thisProcess()].join('\n'), NOTE_BYTES)
      renameSync(temporary, path)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  note({ sequence, time }: Place): void {
    this.#note.writeBigUInt64LE(BigInt(sequence))
    this.#note.writeBigUInt64LE(BigInt(time), 8)
    writeSync(this.#fd, this.#note, 0, NOTE_BYTES, 0)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function readPosition(path: string, of: string): { last: Place; id: string } | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (bytes.length < NOTE_BYTES) return undefined
  const [about, id = '', writer = ''] = bytes.toString('utf8', NOTE_BYTES).split('\n')
  assertUnused(path, writer)
  if (about !== of) return undefined
  const last = {
    sequence: Number(bytes.readBigUInt64LE()),
    time: Number(bytes.readBigUInt64LE(8)),
  }
  return { last, id }
}
