/** `kmq send` */

import type { Command } from 'commander'
import { checkSendType } from '../drivers/selection.js'
import { type MessageQueue, QueueError, type SysVQueue } from '../index.js'
import { type OnFull, onFullPolicies } from '../overflow.js'
import { Option } from './commander.js'
import { Stopped, UsageError } from './failure.js'
import {
  type CutterOptions,
  fit,
  type LongLines,
  longLines,
  type Message,
  makeCutter,
} from './framing/cutter.js'
import { delimiters, type Framing, framingOption, isDelimited } from './framing/framing.js'
import { openInput } from './input.js'
import { note, plural } from './notes.js'
import { openFor } from './opening.js'
import { Progress } from './progress.js'
import { BATCH_BYTES, SendingEnd } from './sending-end.js'
import { stopOnSignals } from './stopping.js'
import { parseType } from './values.js'

interface Options {
  type?: number | bigint
  framing: Framing
  pack?: boolean
  eof?: boolean
  onFull: OnFull
  longLines: LongLines
  file?: string
  progress?: boolean
  quiet?: boolean
}

export function define(command: Command): Command {
  return framingOption(
    command
      .argument('<queue>', 'address of the queue')
      .argument('[data...]', 'messages; without any, standard input is sent')
      .option(
        '-t, --type <n>',
        'System V type (default: 1) or POSIX priority (default: 0)',
        parseType,
      ),
  )
    .option('-p, --pack', 'as many whole lines in a message as fit')
    .option('--eof', 'send an empty message at the end, which ends kmq recv --eof')
    .addOption(
      new Option('--on-full <what>', 'when the queue is full')
        .choices(onFullPolicies)
        .default('wait'),
    )
    .addOption(
      new Option('--long-lines <what>', 'when a line is longer than a message')
        .choices(longLines)
        .default('split'),
    )
    .option('--file <path>', 'send a file instead of standard input')
    .option('--progress', 'show how it goes on standard error, if that is a terminal')
    .action(send)
}

async function send(address: string, data: string[], options: Options): Promise<void> {
  checkUsage(data, options)
  const queue = openFor(options.onFull === 'drop-old' ? 'read-write' : 'write', address)
  using stopping = stopOnSignals()
  const word = isDelimited(options.framing) ? 'line' : 'message'
  const progress = new Progress(queue, options.progress, word)
  const sending = new Sending(queue, options, stopping.signal, progress)
  try {
    if (data.length > 0) await sending.sendArguments(data)
    else await sending.sendStream(openInput(options.file, stopping.signal))
    if (options.eof) await sending.sendEnd()
  } catch (error) {
    throw stopping.by === undefined ? error : new Stopped(stopping.by)
  } finally {
    progress.stop()
    await queue.close()
    for (const line of sending.summary()) note(options.quiet, line)
  }
  // The interruption of a wait is no error, but what was to be done is not done.
  if (stopping.by && sending.unsent > 0) throw new Stopped(stopping.by)
}

function checkUsage(data: readonly string[], { file, pack, framing }: Options): void {
  if (file !== undefined && data.length > 0) {
    throw new UsageError('there are messages as arguments and --file: give one of them')
  }
  if (pack && !isDelimited(framing)) {
    throw new UsageError('--pack is for lines: --framing line or null')
  }
}

const BATCH_MESSAGES = 1024

class Sending {
  /** Read and, after an interruption, not sent. */
  unsent = 0
  readonly #end: SendingEnd
  readonly #cutting: CutterOptions
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #tally = { split: 0, truncated: 0 }

  constructor(queue: MessageQueue, options: Options, signal: AbortSignal, progress: Progress) {
    this.#end = new SendingEnd(queue, options, signal, progress)
    this.#cutting = {
      framing: options.framing,
      pack: options.pack ?? false,
      longLines: options.longLines,
      exactEnd: options.eof ?? false,
      longest: queue.maxMessageSize,
      best: bestSize(queue),
      // An explicit type wins over what the stream says, whatever that is.
      takesType: (type) => options.type !== undefined || isSendType(queue, type),
    }
    this.#signal = signal
    this.#progress = progress
  }

  async sendArguments(texts: readonly string[]): Promise<void> {
    await this.#sendAll(this.#arguments(texts))
  }

  *#arguments(texts: readonly string[]): Iterable<Message> {
    for (const text of texts) {
      yield { data: fit(Buffer.from(text), 'an argument', this.#cutting, this.#tally) }
    }
  }

  async sendStream(input: AsyncIterable<Buffer>): Promise<void> {
    const cutter = makeCutter(this.#cutting, this.#tally)
    const progress = this.#progress
    try {
      progress.waitsFor = 'input'
      for await (const chunk of input) {
        progress.waitsFor = ''
        if (progress.enabled) this.#count(chunk)
        await this.#sendAll(cutter.cut(chunk))
        progress.waitsFor = 'input'
      }
      progress.waitsFor = ''
    } finally {
      // A line that was begun counts as read, also where no more of it will come.
      if (this.#signal.aborted) await this.#sendAll(cutter.end())
    }
    if (!this.#signal.aborted) await this.#sendAll(cutter.end())
  }

  /** After an interruption the rest of what was read is counted. */
  async #sendAll(messages: Iterable<Message>): Promise<void> {
    let batch: Message[] = []
    let bytes = 0
    try {
      for (const message of messages) {
        batch.push(message)
        bytes += message.data.length
        if (bytes < BATCH_BYTES && batch.length < BATCH_MESSAGES) continue
        await this.#send(batch)
        batch = []
        bytes = 0
      }
    } finally {
      // Also what came before something that is no message, or too long for one.
      await this.#send(batch)
    }
  }

  async #send(batch: readonly Message[]): Promise<void> {
    if (this.#signal.aborted) this.unsent += batch.length
    else if (batch.length > 0) this.unsent += await this.#end.send(batch)
  }

  /** An empty message; for a reader who waits for the end it must not be dropped. */
  async sendEnd(): Promise<void> {
    this.unsent += await this.#end.sendAnyway([{ data: '' }])
  }

  #count(chunk: Buffer): void {
    const { framing } = this.#cutting
    this.#progress.bytes += chunk.length
    if (!isDelimited(framing)) return
    const delimiter = delimiters[framing]
    for (let at = chunk.indexOf(delimiter); at >= 0; at = chunk.indexOf(delimiter, at + 1)) {
      this.#progress.records++
    }
  }

  /** What did not go as it came. */
  summary(): string[] {
    const { split, truncated } = this.#tally
    const { longest } = this.#cutting
    return [
      split > 0 && `${plural(split, 'line')} longer than ${longest} bytes split`,
      truncated > 0 && `${plural(truncated, 'message')} truncated to ${longest} bytes`,
      this.#end.dropped > 0 &&
        `${plural(this.#end.dropped, 'message')} dropped: the queue was full`,
      this.unsent > 0 && `${plural(this.unsent, 'message')} read and not sent`,
    ].filter((line) => line !== false)
  }
}

function isSendType({ kind }: MessageQueue, type: number | bigint): boolean {
  try {
    checkSendType(kind, 'type', type)
    return true
  } catch {
    // Not a whole number, or out of the range of that kind.
    return false
  }
}

/** A queue that holds one message makes both sides wait for each other. */
const MESSAGES_IN_FLIGHT = 2

function bestSize(queue: MessageQueue): number {
  if (queue.kind === 'posix') return queue.maxMessageSize
  try {
    const { maxBytes } = (queue as SysVQueue).stats()
    return Math.max(1, Math.min(queue.maxMessageSize, Math.floor(maxBytes / MESSAGES_IN_FLIGHT)))
  } catch (error) {
    // Who may only write is not told how large the queue is.
    if (error instanceof QueueError && error.code === 'EACCES') return queue.maxMessageSize
    throw error
  }
}
