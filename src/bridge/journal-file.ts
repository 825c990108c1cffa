/**
 * The journal's file: a header, written once and renamed into place, and a ring of records. Plain
 * writes, no fsync: the file has to outlive the process, by SIGKILL too, which the page cache does. It
 * need not outlive the machine, for neither does a kernel queue.
 *
 *     0   magic
 *     8   removed   u64, written over and over: messages up to this one may have left the queue
 *    16   length    u32, of the JSON text at 64: Static
 *  4096   records   32 bytes each, message i in slot i mod capacity
 */
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Frame } from '../frame.js'

const MAGIC = 'kmqids1\n'
const REMOVED_AT = 8
const LENGTH_AT = 16
const TEXT_AT = 64
const RECORDS_AT = 4096
// A divisor of the page size: no record lies across two pages.
const RECORD = 32

/** What does not change while the file is in use. */
export interface Static {
  /** The first part of the ids. */
  epoch: string
  identity: string
  /** Who writes here: a process and when it started. */
  writer: string
  /** Who had received last from the queue before. */
  before: number
  /** Messages up to this one had left the queue when the file was made. */
  first: number
  capacity: number
}

/** What a message is known again by. */
export interface Print {
  type: bigint
  length: number
  crc: number
}

export function printOf({ type, data }: Frame): Print {
  return { type: BigInt(type), length: data.length, crc: crc32(data) }
}

export function samePrint(a: Print, b: Print): boolean {
  return a.crc === b.crc && a.length === b.length && a.type === b.type
}

export class JournalFile {
  readonly #fd: number
  readonly #capacity: number
  readonly #scratch: Buffer
  readonly #note = Buffer.alloc(8)

  /** Puts a new file in the place of any that is there. */
  constructor(path: string, head: Static, prints: readonly Print[]) {
    this.#capacity = head.capacity
    this.#scratch = Buffer.alloc(head.capacity * RECORD)
    const text = Buffer.from(JSON.stringify(head))
    const header = Buffer.alloc(RECORDS_AT)
    header.write(MAGIC)
    header.writeBigUInt64LE(BigInt(head.first), REMOVED_AT)
    header.writeUInt32LE(text.length, LENGTH_AT)
    text.copy(header, TEXT_AT)
    const temporary = `${path}.${process.pid}.new`
    this.#fd = openSync(temporary, 'w', 0o600)
    try {
      this.#write(header, header.length, 0)
      // All of the ring now, so that a full disk shows here and not later.
      this.#write(this.#scratch, this.#scratch.length, RECORDS_AT)
      this.append(head.first + 1, prints)
      renameSync(temporary, path)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  /** In the file when this returns. */
  append(index: number, prints: readonly Print[]): void {
    for (let done = 0; done < prints.length; ) {
      const slot = (index + done) % this.#capacity
      const count = Math.min(prints.length - done, this.#capacity - slot)
      for (let i = 0; i < count; i++) {
        encode(this.#scratch, i * RECORD, index + done + i, prints[done + i] as Print)
      }
      this.#write(this.#scratch, count * RECORD, RECORDS_AT + slot * RECORD)
      done += count
    }
  }

  /** Before a message is removed from the queue. */
  noteRemoval(index: number): void {
    this.#note.writeBigUInt64LE(BigInt(index))
    this.#write(this.#note, 8, REMOVED_AT)
  }

  #write(bytes: Buffer, length: number, position: number): void {
    for (let done = 0; done < length; ) {
      done += writeSync(this.#fd, bytes, done, length - done, position + done)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

export interface Contents extends Static {
  removed: number
  /** The record of a message; undefined where none was written, or not to its end. */
  print(index: number): Print | undefined
}

/** What a file says; `undefined` where there is none, or it is none of ours. */
export function readJournal(path: string): Contents | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (bytes.length < RECORDS_AT || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    return undefined
  }
  const length = bytes.readUInt32LE(LENGTH_AT)
  const head = parse(bytes.toString('utf8', TEXT_AT, Math.min(RECORDS_AT, TEXT_AT + length)))
  if (!head || bytes.length < RECORDS_AT + head.capacity * RECORD) return undefined
  return {
    ...head,
    removed: Number(bytes.readBigUInt64LE(REMOVED_AT)),
    print: (index) => decode(bytes, RECORDS_AT + (index % head.capacity) * RECORD, index),
  }
}

function parse(text: string): Static | undefined {
  try {
    return JSON.parse(text) as Static
  } catch {
    // A damaged file is the same as none: all it costs is repeats.
    return undefined
  }
}

function encode(bytes: Buffer, at: number, index: number, { type, length, crc }: Print): void {
  bytes.writeBigUInt64LE(BigInt(index), at)
  bytes.writeBigInt64LE(type, at + 8)
  bytes.writeUInt32LE(length, at + 16)
  bytes.writeUInt32LE(crc, at + 20)
  bytes.writeUInt32LE(0, at + 24)
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 28)), at + 28)
}

function decode(bytes: Buffer, at: number, index: number): Print | undefined {
  if (bytes.readUInt32LE(at + 28) !== crc32(bytes.subarray(at, at + 28))) return undefined
  if (Number(bytes.readBigUInt64LE(at)) !== index) return undefined
  return {
    type: bytes.readBigInt64LE(at + 8),
    length: bytes.readUInt32LE(at + 16),
    crc: bytes.readUInt32LE(at + 20),
  }
}
