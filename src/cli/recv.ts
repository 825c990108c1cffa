/** `kmq recv` */
import type { Command } from 'commander'
import type { Frame } from '../index.js'
import { ByteBuffer } from './byte-buffer.js'
import { Stopped } from './failure.js'
import { type Framing, framingOption, isDelimited } from './framing/framing.js'
import { makeWriter, type Writer } from './framing/writer.js'
import { note, plural } from './notes.js'
import { openForReceiving } from './opening.js'
import { Output } from './output.js'
import { Progress } from './progress.js'
import { AcknowledgingSource, type Source, type SourceOptions, TakingSource } from './receiving.js'
import { nextTurn, stopOnSignals } from './stopping.js'
import { parsePositive, parseType } from './values.js'

interface Options extends SourceOptions {
  framing: Framing
  count?: number
  ack?: boolean
  create?: boolean
  progress?: boolean
  quiet?: boolean
}

export function define(command: Command): Command {
  return framingOption(
    command
      .argument('<queue>', 'address of the queue')
      .option(
        '-t, --type <n>',
        'System V: only this type; -n: types up to n, lowest first',
        parseType,
      )
      .option('--except', 'every type but that one'),
  )
    .option('-c, --count <n>', 'exit after so many messages', parsePositive)
    .option('--drain', 'exit when the queue is empty')
    .option('--eof', 'exit at an empty message, as kmq send --eof sends it')
    .option('--ack', 'System V: a message leaves the queue once its bytes are written')
    .option('--create', 'create the queue if it is not there')
    .option('--progress', 'show how it goes on standard error, if that is a terminal')
    .action(receive)
}

async function receive(address: string, options: Options): Promise<void> {
  const queue = openForReceiving(address, options.create ? { create: true } : {})
  const source = options.ack
    ? new AcknowledgingSource(queue, options)
    : new TakingSource(queue, options)
  using stopping = stopOnSignals()
  const word = isDelimited(options.framing) ? 'line' : 'message'
  const progress = new Progress(queue, options.progress, word)
  const receiving = new Receiving(source, options, stopping.signal, progress)
  try {
    await receiving.run()
  } catch (error) {
    // Whatever was under way when the signal came has failed by that.
    if (stopping.by === undefined && receiving.lost === 0) throw error
  } finally {
    progress.stop()
    receiving.close()
    await queue.close()
    const { returned } = receiving
    if (returned > 0) note(options.quiet, `${plural(returned, 'message')} put back`)
  }
  if (receiving.lost > 0) throw new MessagesLost(receiving.lost, queue.address)
  // Without another end to wait for, the signal is the one that was waited for.
  const { count, drain, eof } = options
  if (stopping.by && (count !== undefined || drain || eof)) throw new Stopped(stopping.by)
}

class MessagesLost extends Error {
  readonly hint = 'the queue is full or gone, or not ours to write to'

  constructor(count: number, address: string) {
    super(`${plural(count, 'message')} taken from ${address} neither written nor put back`)
  }
}

/** How long the event loop may be kept from its turn, when messages never end. */
const TURN_MS = 10

class Receiving {
  returned = 0
  lost = 0
  readonly #source: Source
  readonly #options: Options
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #output = new Output().dontBlock()
  readonly #write: Writer
  readonly #text = new ByteBuffer()

  constructor(source: Source, options: Options, signal: AbortSignal, progress: Progress) {
    this.#source = source
    this.#options = options
    this.#signal = signal
    this.#progress = progress
    this.#write = makeWriter(options.framing, this.#output.terminal)
  }

  async run(): Promise<void> {
    let left = this.#options.count ?? Number.POSITIVE_INFINITY
    let turn = performance.now()
    while (left > 0 && !this.#signal.aborted) {
      this.#progress.waitsFor = 'messages'
      const frames = await this.#source.next(left, this.#signal)
      this.#progress.waitsFor = ''
      if (frames === null) return
      const ended = this.#options.eof === true && frames.at(-1)?.data.length === 0
      await this.#pass(ended ? frames.slice(0, -1) : frames)
      if (ended) {
        await this.#source.settle(frames.slice(-1))
        return
      }
      left -= frames.length
      if (performance.now() - turn < TURN_MS) continue
      await nextTurn()
      turn = performance.now()
    }
  }

  /** Writes messages; what is not wholly written goes back. */
  async #pass(frames: readonly Frame[]): Promise<void> {
    const text = this.#text
    const ends: number[] = []
    text.clear()
    for (const frame of frames) {
      for (const piece of this.#write(frame)) text.add(piece)
      ends.push(text.length)
    }
    this.#progress.waitsFor = 'the reader of standard output'
    const { count, error } = await this.#output.write(text.bytes, this.#signal)
    const written = count === text.length ? frames.length : ends.findIndex((end) => end > count)
    this.#progress.bytes += count
    this.#progress.records += written
    await this.#source.settle(frames.slice(0, written))
    const rest = frames.slice(written)
    const lost = this.#source.putBack(rest)
    this.lost += lost
    if (!this.#options.ack) this.returned += rest.length - lost
    if (error) throw error
  }

  close(): void {
    this.#output.close()
  }
}
