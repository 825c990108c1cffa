/**
 * Publishes a window of messages in order, and says of each, in order, when it is stored.
 *
 * Go back N: with each message goes the id of the one before it, which JetStream compares with the last
 * that it has stored (`Nats-Expected-Last-Msg-Id`). If one is refused or lost on the way, all behind it
 * are refused too, and everything from there on is sent again, with the same ids. So the order stays,
 * whatever fails; and what was stored already is dropped as a repeat.
 */
import { type JetStreamClient, PubHeaders } from '@nats-io/jetstream'
import {
  createInbox,
  type Msg,
  MsgHdrsImpl,
  type NatsConnection,
  PermissionViolationError,
  type Status,
  type Subscription,
} from '@nats-io/transport-node'
import type { Frame } from '../frame.js'
import { backoff, connectionOf, explain, permissionError } from './connection.js'
import { BridgeError } from './errors.js'
import { subjectOf, TYPE_HEADER } from './subjects.js'

/** JetStream's numbers for what comes right by itself, or never: everything else is tried again. */
const WRONG_LAST_ID = 10070
const TOO_LARGE = 10054
const SEALED = 10109
const WRONG_STREAM = 10060
/** How long a message may wait for JetStream's word before all are sent again. */
const ACK_WAIT_MS = 5000

export interface Outgoing {
  readonly index: number
  readonly id: string
  readonly frame: Frame
  stored: boolean
}

export interface PublisherOptions {
  stream: string
  /** Others publish to the stream too: no `Nats-Expected-Last-Msg-Id`. */
  shared: boolean
  /** The number in an id of this publisher. */
  indexOf(id: string): number | undefined
}

export interface PublisherEvents {
  /** The oldest message of the window is stored; false: do not go on. */
  stored(message: Outgoing): boolean
  /** Room in the window. */
  room(): void
  /** Something failed that will be tried again. */
  retry(error: Error): void
  /** Something failed for good. */
  failed(error: Error): void
}

interface PubAck {
  stream?: string
  duplicate?: boolean
  error?: { code: number; err_code?: number; description: string }
}

export class Publisher {
  readonly stats = { retries: 0, repeats: 0 }
  readonly #js: JetStreamClient
  readonly #connection: NatsConnection
  readonly #options: PublisherOptions
  readonly #events: PublisherEvents
  readonly #inbox = createInbox()
  readonly #replies: Subscription
  readonly #status: AsyncIterable<Status> & { stop?(): void }
  readonly #watch: NodeJS.Timeout
  /** What is not known to be stored, in order. */
  readonly #window: Outgoing[] = []
  /** Up to here all are stored, by the stream's own account. */
  #storedUpTo = 0
  /** How many of the window were published in this round. */
  #published = 0
  /** Each time that all is sent again begins a round; replies to an earlier one may still come. */
  #round = 0
  #open = false
  #failures = 0
  #progress = Date.now()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(js: JetStreamClient, options: PublisherOptions, events: PublisherEvents) {
    this.#js = js
    this.#connection = connectionOf(js)
    this.#options = options
    this.#events = events
    this.#replies = this.#connection.subscribe(`${this.#inbox}.>`, {
      callback: (error, message) => {
        if (error) this.#fail(error)
        else this.#reply(message)
      },
    })
    this.#status = this.#connection.status()
    this.#follow().catch((error) => this.#fail(error))
    this.#watch = setInterval(() => this.#checkProgress(), ACK_WAIT_MS / 4)
  }

  /** Begins; rejects where the stream is not there, or not for us. */
  async start(): Promise<void> {
    try {
      await this.#beginRound()
    } catch (cause) {
      const error = explain(cause, `stream ${this.#options.stream}`)
      // A connection that breaks just now is none of the stream's.
      if (!(error instanceof BridgeError) || error.code !== 'ERR_NATS_UNREACHABLE') throw error
      // The client has connected again meanwhile.
      if (this.#open || this.#closed) return
      this.#events.retry(error)
      this.#tryAgain(backoff(this.#failures++))
    }
  }

  get size(): number {
    return this.#window.length
  }

  get unstored(): Frame[] {
    return this.#window.filter(({ stored }) => !stored).map(({ frame }) => frame)
  }

  push(messages: readonly Outgoing[]): void {
    if (this.#window.length === 0) this.#progress = Date.now()
    for (const message of messages) message.stored = message.index <= this.#storedUpTo
    this.#window.push(...messages)
    if (!this.#open) return
    this.#publish()
    this.#advance()
  }

  /** Looks how far the stream is, and sends what it has not. */
  async #beginRound(): Promise<void> {
    await this.#skipStored()
    if (this.#closed) return
    this.#round++
    this.#published = 0
    this.#open = true
    this.#progress = Date.now()
    this.#publish()
  }

  #publish(): void {
    for (; this.#published < this.#window.length && this.#open; this.#published++) {
      const message = this.#window[this.#published] as Outgoing
      if (message.stored) continue
      const { frame, id, index } = message
      const record: Record<string, string[]> = {
        [PubHeaders.MsgIdHdr]: [id],
        [TYPE_HEADER]: [String(frame.type)],
        [PubHeaders.ExpectedStreamHdr]: [this.#options.stream],
      }
      // What comes before the first of the window is stored, and needs no proof.
      const before = this.#window[this.#published - 1]
      if (before && !this.#options.shared) record[PubHeaders.ExpectedLastMsgIdHdr] = [before.id]
      const headers = MsgHdrsImpl.fromRecord(record)
      const limit = this.#connection.info?.max_payload ?? Number.POSITIVE_INFINITY
      // The headers count too; a few hundred bytes, which are only counted where it matters.
      if (
        frame.data.length + 1024 > limit &&
        frame.data.length + headers.toString().length > limit
      ) {
        this.#fail(tooLarge(frame, `the server's max_payload of ${limit}`))
        return
      }
      this.#connection.publish(subjectOf(this.#options.stream, frame.type), frame.data, {
        headers,
        reply: `${this.#inbox}.${this.#round}.${index}`,
      })
    }
  }

  #reply(message: Msg): void {
    const tokens = message.subject.split('.')
    const index = Number(tokens.at(-1))
    const round = Number(tokens.at(-2))
    const outgoing = this.#find(index)
    if (!outgoing || outgoing.stored) return
    if (message.headers?.code === 503) {
      this.#stall(
        round,
        new Error(`no stream takes ${this.#options.stream}.>, or its server is starting`),
      )
      return
    }
    const ack = message.json<PubAck>()
    if (ack.error) {
      this.#refused(round, outgoing, ack.error)
      return
    }
    if (ack.duplicate) this.stats.repeats++
    outgoing.stored = true
    this.#failures = 0
    this.#progress = Date.now()
    this.#advance()
  }

  #find(index: number): Outgoing | undefined {
    const first = this.#window[0]
    return first && this.#window[index - first.index]
  }

  #advance(): void {
    let done = 0
    while (this.#window[done]?.stored) {
      if (!this.#events.stored(this.#window[done] as Outgoing)) break
      done++
    }
    if (done === 0) return
    this.#window.splice(0, done)
    this.#published = Math.max(0, this.#published - done)
    this.#events.room()
  }

  #refused(
    round: number,
    { frame }: Outgoing,
    { err_code, description }: NonNullable<PubAck['error']>,
  ): void {
    if (err_code === TOO_LARGE) {
      this.#fail(tooLarge(frame, `the stream's max_msg_size`))
    } else if (err_code === SEALED || err_code === WRONG_STREAM) {
      const { stream } = this.#options
      this.#fail(new BridgeError('ERR_STREAM_REFUSED', `the stream ${stream}: ${description}`))
    } else if (err_code === WRONG_LAST_ID) {
      const { stream } = this.#options
      this.#stall(
        round,
        new Error(`others publish to ${stream} too: slow, unless the bridge is told (shared)`),
      )
    } else {
      this.#stall(round, new Error(description))
    }
  }

  /** Ends the round; the next begins after a while. */
  #stall(round: number, error: Error): void {
    // Once one is refused, so are all behind it.
    if (round !== this.#round || !this.#open || this.#closed) return
    this.#open = false
    this.stats.retries++
    this.#events.retry(error)
    this.#tryAgain(backoff(this.#failures++))
  }

  #tryAgain(delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#beginRound().catch((error) => {
        if (this.#closed || this.#open) return
        this.#events.retry(error)
        this.#tryAgain(backoff(this.#failures++))
      })
    }, delay)
  }

  #checkProgress(): void {
    if (this.#window.length === 0 || Date.now() - this.#progress < ACK_WAIT_MS) return
    this.#stall(this.#round, new Error('no answer from JetStream'))
  }

  /**
   * Asks for the last message of the stream. If it is one of ours, so is all before it stored: known
   * also where JetStream's own memory of ids is too short.
   */
  async #skipStored(): Promise<void> {
    const { stream, shared, indexOf } = this.#options
    const { streams } = await this.#js.jetstreamManager(false)
    const last = await streams.getMessage(stream, { last_by_subj: `${stream}.>` })
    // Among others' messages ours may be stored out of order, so the last proves nothing.
    if (shared || !last) return
    this.#storedUpTo = indexOf(last.header.get(PubHeaders.MsgIdHdr)) ?? this.#storedUpTo
    for (const message of this.#window) {
      if (message.index <= this.#storedUpTo) message.stored = true
    }
    this.#advance()
  }

  async #follow(): Promise<void> {
    for await (const status of this.#status) {
      if (this.#closed) return
      if (status.type === 'disconnect') {
        this.#open = false
        clearTimeout(this.#timer)
        this.stats.retries++
        this.#events.retry(new Error(`the connection to ${status.server} broke`))
      } else if (status.type === 'reconnect') {
        this.#tryAgain(0)
      } else if (status.type === 'error') {
        this.#refusedByServer(status.error)
      } else if (status.type === 'close') {
        this.#fail(new BridgeError('ERR_NATS_CLOSED', 'the connection to NATS was closed'))
      }
    }
  }

  #refusedByServer(error: Error): void {
    const { stream } = this.#options
    if (error instanceof PermissionViolationError && error.subject.startsWith(`${stream}.`)) {
      this.#fail(permissionError(error, `stream ${stream}`))
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    this.#open = false
    this.#events.failed(explain(error, `stream ${this.#options.stream}`))
  }

  close(): void {
    this.#closed = true
    this.#open = false
    clearTimeout(this.#timer)
    clearInterval(this.#watch)
    this.#status.stop?.()
    if (!this.#connection.isClosed()) this.#replies.unsubscribe()
  }
}

function tooLarge({ data }: Frame, limit: string): BridgeError {
  return new BridgeError(
    'ERR_PAYLOAD_TOO_LARGE',
    `a message of ${data.length} bytes is above ${limit}`,
    {
      hint: 'it is at the head of the queue; raise the limit, or take it out',
    },
  )
}
