/**
 * A pino transport: each log line is a message, and its level is the message's type. On a POSIX queue
 * errors overtake the rest; on a System V queue a reader may ask for one level.
 *
 * ```ts
 * pino({ transport: { target: 'kernelmq/pino', options: { queue: '/logs' } } })
 * ```
 */
import { hostname } from 'node:os'
import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { type MessageQueue, type OpenOptions, open } from './index.js'
import { checkOneOf } from './options.js'
import { type OnFull, OverflowSender, onFullPolicies } from './overflow.js'

/** Beside them, the options of `open()`: `create`, `mode`, `maxMessages`, … */
export type PinoTransportOptions = OpenOptions & {
  /** The address of the queue. */
  queue: string
  /** When the queue is full. Default `'wait'`: the logger's thread collects, and then waits too. */
  onFull?: OnFull
}

/** What pino's worker thread calls. The queue is opened, or the logger fails, before it returns. */
export default function pinoTransport(options: PinoTransportOptions): Writable {
  const { queue: address, onFull = 'wait', ...rest } = options
  checkOneOf('options.onFull', onFull, onFullPolicies)
  const access = onFull === 'drop-old' ? 'read-write' : 'write'
  return new QueueTransport(open(address, { access, ...withoutOwn(rest) }), onFull)
}

/** pino adds options of its own, all so named; any other that open() does not know is refused there. */
function withoutOwn(options: object): OpenOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !/^(\$|pino)/.test(name)))
}

/** pino's levels, for loggers that write their names. */
const levels: Record<string, number> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
}
const MAX_PRIORITY = 32767

class QueueTransport extends Writable {
  readonly #queue: MessageQueue
  readonly #overflow: OverflowSender
  readonly #decoder = new StringDecoder()
  /** The beginning of a line whose end has not come. */
  #rest = ''
  #tooLong = 0
  /** How many were dropped when that was last reported. */
  #reported = 0

  constructor(queue: MessageQueue, onFull: OnFull) {
    super({ decodeStrings: false })
    this.#queue = queue
    this.#overflow = new OverflowSender(queue, onFull)
  }

  override _write(
    chunk: string | Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk)
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = lines.pop() ?? ''
    this.#sendAll(lines).then(() => callback(), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    const end = async () => {
      if (this.#rest !== '') await this.#sendAll([this.#rest])
      if (this.#unreported() > 0) this.#reportLast()
      await this.#queue.close()
    }
    end().then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#queue.close().then(() => callback(error), callback)
  }

  async #sendAll(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      if (line === '') continue
      if (Buffer.byteLength(line) > this.#queue.maxMessageSize) {
        this.#tooLong++
        continue
      }
      const options = { type: this.#typeOf(line) }
      const before = this.#overflow.dropped
      if (!this.#overflow.offer(line, options)) await this.#queue.send(line, options)
      const dropped = this.#unreported()
      if (dropped > 0 && before === this.#overflow.dropped) this.#report(dropped)
    }
  }

  #typeOf(line: string): number {
    const level = levelOf(line)
    return this.#queue.kind === 'posix'
      ? Math.min(Math.max(level, 0), MAX_PRIORITY)
      : Math.max(level, 1)
  }

  #unreported(): number {
    return this.#overflow.dropped + this.#tooLong - this.#reported
  }

  /** A line of the log's own form, so that whoever reads the log learns that some is missing. */
  #report(dropped: number): boolean {
    const line = JSON.stringify({
      level: levels.warn,
      time: Date.now(),
      pid: process.pid,
      hostname: hostname(),
      name: 'kernelmq',
      dropped,
      // With 'drop-old' an earlier report may have been dropped itself.
      droppedSoFar: this.#overflow.dropped + this.#tooLong,
      msg: this.#reportText(dropped),
    })
    if (Buffer.byteLength(line) > this.#queue.maxMessageSize) return false
    const sent = this.#queue.trySend(line, { type: levels.warn as number })
    if (sent) this.#reported += dropped
    return sent
  }

  /** The last chance to say so: in the queue if there is or may be made room, else here. */
  #reportLast(): void {
    let sent = this.#report(this.#unreported())
    while (!sent && this.#overflow.displaces && this.#overflow.displace()) {
      sent = this.#report(this.#unreported())
    }
    if (sent) return
    process.emitWarning(this.#reportText(this.#unreported()))
  }

  #reportText(dropped: number): string {
    const tooLong =
      this.#tooLong > 0
        ? `; so far ${this.#tooLong} longer than ${this.#queue.maxMessageSize} bytes`
        : ''
    return `${dropped} log lines dropped at ${this.#queue.address}${tooLong}`
  }
}

/** pino writes the level first; loggers with formatters of their own may not. */
function levelOf(line: string): number {
  const first = /^\{"level":(\d+)[,}]/.exec(line)
  if (first) return Number(first[1])
  try {
    const { level } = JSON.parse(line)
    return typeof level === 'number' ? Math.round(level) : (levels[String(level)] ?? DEFAULT_LEVEL)
  } catch {
    // Not a line of pino's: it is passed on as it is.
    return DEFAULT_LEVEL
  }
}

const DEFAULT_LEVEL = 30
