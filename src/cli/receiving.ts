/** The way of messages out of a queue, to standard output. */
import type { Frame, MessageQueue } from '../index.js'
import { ByteBuffer } from './byte-buffer.js'
import { type Delimited, delimiters, type Framing, isDelimited, MARK } from './framing/framing.js'
import { makeWriter, type Writer } from './framing/writer.js'
import { Output } from './output.js'
import type { Progress } from './progress.js'
import {
  AcknowledgingSource,
  type Source,
  type SourceOptions,
  selection,
  TakingSource,
} from './sources.js'
import { nextTurn } from './stopping.js'

export interface ReceivingOptions extends SourceOptions {
  framing: Framing
  count?: number
  ack?: boolean
}

/** How long the event loop may be kept from its turn, when messages never end. */
const TURN_MS = 10

export class Receiving {
  returned = 0
  lost = 0
  readonly #queue: MessageQueue
  readonly #source: Source
  readonly #options: ReceivingOptions
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #output = new Output().dontBlock()
  readonly #write: Writer
  readonly #text = new ByteBuffer()

  constructor(
    queue: MessageQueue,
    options: ReceivingOptions,
    signal: AbortSignal,
    progress: Progress,
  ) {
    this.#queue = queue
    this.#source = options.ack
      ? new AcknowledgingSource(queue, options)
      : new TakingSource(queue, options)
    this.#options = options
    this.#signal = signal
    this.#progress = progress
    this.#write = makeWriter(options.framing, this.#output.terminal)
  }

  async run(): Promise<void> {
    const { framing, count, drain, ack } = this.#options
    const { descriptor } = this.#output
    const simple = isDelimited(framing) && count === undefined && !drain && !ack
    return simple && descriptor !== undefined ? this.#pump(descriptor, framing) : this.#passAll()
  }

  /** Nothing has to be known of the messages: a thread makes them lines. */
  async #pump(fd: number, framing: Delimited): Promise<void> {
    const { eof = false } = this.#options
    const pump = this.#queue.linePump()
    const progress = this.#progress
    progress.update = () => {
      const { bytes, records, atQueue } = pump.progress
      Object.assign(progress, { bytes, records })
      progress.waitsFor = atQueue ? 'messages' : 'the reader of standard output'
    }
    this.#signal.addEventListener('abort', () => pump.cancel())
    const { rest, error } = await pump.fromQueue(selection(this.#options), {
      fd,
      delimiter: delimiters[framing],
      mark: MARK,
      eof,
    })
    this.#putBack(rest)
    if (error) throw error
  }

  async #passAll(): Promise<void> {
    let left = this.#options.count ?? Number.POSITIVE_INFINITY
    let turn = performance.now()
    while (left > 0 && !this.#signal.aborted) {
      this.#progress.waitsFor = 'messages'
      const frames = await this.#source.next(left, this.#signal)
      this.#progress.waitsFor = ''
      if (frames === null) return
      const ended = this.#options.eof === true && frames.at(-1)?.data.length === 0
      await this.#pass(frames, ended)
      if (ended) return
      left -= frames.length
      if (performance.now() - turn < TURN_MS) continue
      await nextTurn()
      turn = performance.now()
    }
  }

  /** Writes messages, but not the mark that ends them; what is not wholly written goes back. */
  async #pass(frames: readonly Frame[], ended: boolean): Promise<void> {
    const text = this.#text
    const ends: number[] = []
    const count = ended ? frames.length - 1 : frames.length
    text.clear()
    for (const frame of frames.slice(0, count)) {
      for (const piece of this.#write(frame)) text.add(piece)
      ends.push(text.length)
    }
    this.#progress.waitsFor = 'the reader of standard output'
    const { count: bytes, error } = await this.#output.write(text.bytes, this.#signal)
    const written = bytes === text.length ? frames.length : ends.findIndex((end) => end > bytes)
    this.#progress.bytes += bytes
    this.#progress.records += Math.min(written, count)
    await this.#source.settle(frames.slice(0, written))
    this.#putBack(frames.slice(written))
    if (error) throw error
  }

  #putBack(frames: readonly Frame[]): void {
    const lost = this.#source.putBack(frames)
    this.lost += lost
    if (!this.#options.ack) this.returned += frames.length - lost
  }

  close(): void {
    this.#output.close()
  }
}
