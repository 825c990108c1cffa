/** The way of arguments, or of standard input or a file, into a queue. */
import { checkSendType } from '../drivers/selection.js'
import { type MessageQueue, QueueError, type SysVQueue } from '../index.js'
import type { OnFull } from '../overflow.js'
import {
  type CutterOptions,
  fit,
  type LongLines,
  type Message,
  makeCutter,
} from './framing/cutter.js'
import { type Delimited, delimiters, type Framing, isDelimited, MARK } from './framing/framing.js'
import { LineCutter } from './framing/line-cutter.js'
import { type OpenDescriptor, openDescriptor, openInput } from './input.js'
import { plural } from './notes.js'
import type { Progress } from './progress.js'
import { BATCH_BYTES, SendingEnd } from './sending-end.js'

export interface SendingOptions {
  type?: number | bigint
  framing: Framing
  pack?: boolean
  eof?: boolean
  onFull: OnFull
  longLines: LongLines
  file?: string
}

const BATCH_MESSAGES = 1024

export class Sending {
  /** Read and, after an interruption, not sent. */
  unsent = 0
  readonly #queue: MessageQueue
  readonly #options: SendingOptions
  readonly #end: SendingEnd
  readonly #cutting: CutterOptions
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #tally = { split: 0, truncated: 0 }

  constructor(
    queue: MessageQueue,
    options: SendingOptions,
    signal: AbortSignal,
    progress: Progress,
  ) {
    this.#queue = queue
    this.#options = options
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

  async sendInput(): Promise<void> {
    const { framing, onFull, file } = this.#options
    if (isDelimited(framing) && onFull === 'wait') {
      using input = openDescriptor(file)
      if (input) return await this.#sendLines(input, framing)
    }
    return this.#sendStream(openInput(file, this.#signal))
  }

  /** A thread packs and sends whole lines: what it leaves goes as all else does. */
  async #sendLines({ fd, again }: OpenDescriptor, framing: Delimited): Promise<void> {
    const cutter = new LineCutter(framing, this.#cutting, this.#tally)
    const { best, longest, pack } = this.#cutting
    const { type } = this.#options
    const progress = this.#progress
    const pump = this.#queue.linePump()
    const lines = {
      fd,
      delimiter: delimiters[framing],
      mark: MARK,
      pack,
      count: progress.enabled,
      pollFirst: !again,
    }
    let linesCut = 0
    progress.update = () => {
      const { bytes, records, atQueue } = pump.progress
      progress.bytes = bytes
      progress.records = records + linesCut
      progress.waitsFor = atQueue ? 'room in the queue' : 'input'
    }
    this.#signal.addEventListener('abort', () => pump.cancel())
    for (let ended = false; !ended && !this.#signal.aborted; ) {
      // A queue may shrink.
      const most = Math.min(pack ? best : longest, this.#queue.maxMessageSize)
      const begun = cutter.takeBegun(most)
      const left = begun
        ? await pump.toQueue(type, { ...lines, size: most }, begun)
        : await pump.read(lines)
      if (left.error) throw left.error
      if (progress.enabled) linesCut += countLines(left.rest, lines.delimiter)
      await this.#sendAll(cutter.cut(left.rest))
      ended = left.ended
    }
    await this.#sendAll(cutter.end())
    this.#signal.throwIfAborted()
  }

  async #sendStream(input: AsyncIterable<Buffer>): Promise<void> {
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
    if (isDelimited(framing)) this.#progress.records += countLines(chunk, delimiters[framing])
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

function countLines(bytes: Buffer, delimiter: number): number {
  let lines = 0
  for (let at = bytes.indexOf(delimiter); at >= 0; at = bytes.indexOf(delimiter, at + 1)) lines++
  return lines
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
