/**
 * Gives each message of a System V queue an identity that it keeps when its bridge is killed.
 *
 * With one consumer that removes in order, the queue is always the tail of all messages that ever
 * arrived: number `removed` + 1 is at its head. The id of a message is its number, and the only thing to
 * be found again after a kill is `removed`. Each removal is noted before it is made, so it is the number
 * noted or the one before; the records of the messages behind tell which. Where they cannot, because
 * these are all alike, the larger is taken: that may repeat one message, and can never drop one. The
 * proof is in docs/distributed.md.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Frame } from '../frame.js'
import type { SysVQueue } from '../queues/sysv-queue.js'
import { BridgeError } from './errors.js'
import { assertUnused, queueIdentity, thisProcess } from './identity.js'
import {
  type Contents,
  JournalFile,
  type Print,
  printOf,
  readJournal,
  samePrint,
} from './journal-file.js'

export interface JournalOptions {
  /** Where: on a local file system, for this queue and stream alone. Its folder is created. */
  file: string
  /** The queue that the frames come from. */
  queue: SysVQueue
  /** As given to the queue's `readable()`. */
  type?: number | bigint
  except?: boolean
}

interface Recovered {
  epoch: string
  removed: number
  prints: Print[]
}

export class Journal {
  readonly #file: JournalFile
  readonly #epoch: string
  /** Of the messages in the queue that the last run had numbered. */
  readonly #recovered: Print[]
  readonly #first: number
  #last: number
  #next: number

  /** `window`: how many messages are in flight at most. */
  constructor(options: JournalOptions, window: number) {
    const { file, queue } = options
    mkdirSync(dirname(file), { recursive: true })
    const before = queue.stats().lastReceivePid
    const { epoch, removed, prints } = recover(options) ?? {
      epoch: randomBytes(9).toString('base64url'),
      removed: 0,
      prints: [],
    }
    this.#epoch = epoch
    this.#first = removed + 1
    this.#next = this.#first
    this.#last = removed + prints.length
    this.#recovered = prints
    // Twice the window: the record of a message is there until its removal is certain.
    const capacity = 2 * Math.max(window, prints.length)
    const identity = queueIdentity(queue)
    const writer = thisProcess()
    const head = { epoch, identity, writer, before, first: removed, capacity }
    this.#file = new JournalFile(file, head, prints)
  }

  /** How many of the messages at the head of the queue have numbers from the last run. */
  get recovered(): number {
    return this.#recovered.length
  }

  /** Numbers frames, which come in the order of the queue; returns the first number. */
  record(frames: readonly Frame[]): number {
    const first = this.#next
    const prints = frames.map(printOf)
    this.#next += frames.length
    const known = Math.max(0, this.#last - first + 1)
    for (const [i, print] of prints.slice(0, known).entries()) {
      if (!samePrint(print, this.#recovered[first - this.#first + i] as Print)) {
        throw new BridgeError('ERR_JOURNAL_CONFLICT', 'the queue changed while it was being read', {
          hint: 'a bridge must be the only consumer of its queue',
        })
      }
    }
    if (prints.length > known) {
      this.#file.append(first + known, prints.slice(known))
      this.#last = this.#next - 1
    }
    return first
  }

  id(index: number): string {
    return `${this.#epoch}-${index}`
  }

  /** The number that an id of this journal stands for. */
  indexOf(id: string): number | undefined {
    const [epoch, index] = [id.slice(0, id.lastIndexOf('-')), id.slice(id.lastIndexOf('-') + 1)]
    return epoch === this.#epoch ? Number(index) : undefined
  }

  /** To be called before a message is removed from the queue, in the order of the numbers. */
  noteRemoval(index: number): void {
    this.#file.noteRemoval(index)
  }

  close(): void {
    this.#file.close()
  }
}

/** Where the last run was; undefined where that cannot be told, and all messages get new ids. */
function recover(options: JournalOptions): Recovered | undefined {
  const { file, queue } = options
  const last = readJournal(file)
  if (!last) return undefined
  assertUnused(file, last.writer)
  if (last.identity !== queueIdentity(queue)) return undefined
  // Somebody else took messages, nobody knows how many.
  const receiver = queue.stats().lastReceivePid
  if (receiver !== Number.parseInt(last.writer, 10) && receiver !== last.before) return undefined

  const lowest = Math.max(last.first, last.removed - 1)
  const prints: Print[] = []
  for (let i = lowest + 1; ; i++) {
    const print = last.print(i)
    if (!print) break
    prints.push(print)
  }
  const head = headOf(options, prints.length)
  for (let removed = highest(last); removed >= lowest; removed--) {
    const left = prints.slice(removed - lowest)
    if (left.every((print, i) => head[i] !== undefined && samePrint(print, head[i]))) {
      return { epoch: last.epoch, removed, prints: left }
    }
  }
  return undefined
}

/**
 * An empty message can leave the queue without a removal of ours, when it ends a wait: if that is the
 * next one, it may be gone.
 */
function highest({ removed, print }: Contents): number {
  return print(removed + 1)?.length === 0 ? removed + 1 : removed
}

/** The prints of the first messages that the bridge reads. */
function headOf({ queue, type = 0, except = false }: JournalOptions, count: number): Print[] {
  const wanted = BigInt(type)
  const prints: Print[] = []
  for (let position = 0; prints.length < count; position++) {
    const frame = queue.peek(position, { bigint: true })
    if (!frame) break
    if (wanted === 0n || (frame.type === wanted) !== except) prints.push(printOf(frame))
  }
  return prints
}
