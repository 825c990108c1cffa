/** One line on a terminal's standard error, renewed as it goes. */
import { isatty } from 'node:tty'
import type { MessageQueue } from '../index.js'
import { formatBytes } from './format/queue.js'
import { plural, say } from './notes.js'

const STDERR = 2
/** Of ECMA-48, EL. A library of escapes asks what standard output is, and makes it non-blocking by that. */
const ERASE_LINE = '\x1b[2K'
const INTERVAL_MS = 200

export class Progress {
  bytes = 0
  /** Lines or, in other framings, messages. */
  records = 0
  /** What nothing goes on without. */
  waitsFor = ''
  /** Brings the above up to date, where somebody else counts. */
  update: () => void = () => {}
  readonly enabled: boolean
  readonly #queue: MessageQueue
  readonly #word: string
  readonly #started = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  #lastBytes = 0
  #lastTime = this.#started

  constructor(queue: MessageQueue, wanted: boolean | undefined, word: string) {
    this.#queue = queue
    this.#word = word
    this.enabled = wanted === true && isatty(STDERR)
    if (this.enabled) this.#timer = setInterval(() => this.#show(), INTERVAL_MS).unref()
  }

  #show(): void {
    this.update()
    const now = performance.now()
    const rate = ((this.bytes - this.#lastBytes) * 1000) / (now - this.#lastTime)
    this.#lastBytes = this.bytes
    this.#lastTime = now
    this.#draw(
      rate,
      `, ${this.#depth()} queued${this.waitsFor && `, waiting for ${this.waitsFor}`}`,
    )
  }

  #draw(bytesASecond: number, rest: string): void {
    const done = `${formatBytes(this.bytes)}, ${plural(this.records, this.#word)}`
    say(`\r${ERASE_LINE}${done}, ${formatBytes(Math.round(bytesASecond))}/s${rest}`)
  }

  #depth(): string {
    try {
      return String(this.#queue.stats().messages)
    } catch {
      // Whoever may only write is not told, and a queue that is gone has none.
      return '?'
    }
  }

  /** Leaves the line with the figures of the whole. */
  stop(): void {
    if (!this.enabled) return
    clearInterval(this.#timer)
    this.update()
    const seconds = (performance.now() - this.#started) / 1000
    this.#draw(Math.round(this.bytes / seconds), ` in ${seconds.toFixed(1)} s\n`)
  }
}
