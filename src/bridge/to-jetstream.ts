/** Frames into a JetStream stream, acknowledged in their queue once JetStream has them. */
import { randomBytes } from 'node:crypto'
import type { JetStreamClient } from '@nats-io/jetstream'
import { argumentError } from '../errors.js'
import { AckFrame, Frame } from '../frame.js'
import { checkBoolean, checkInteger, checkOptions } from '../options.js'
import { buffered, Writable } from '../streams/base.js'
import { connectionOf } from './connection.js'
import { BridgeError } from './errors.js'
import { Journal, type JournalOptions } from './journal.js'
import { type Outgoing, Publisher } from './publisher.js'
import { checkName } from './subjects.js'

export interface ToJetStreamOptions {
  /** The stream; a frame is published to `STREAM.TYPE`. */
  stream: string
  /** How many messages it holds that are not yet stored, at most. Default 256. */
  inFlight?: number
  /** Keeps the ids of messages, so that those sent again after a kill are dropped as repeats. */
  journal?: JournalOptions
  /** Others publish to the stream too. Default `false`. */
  shared?: boolean
}

export interface ToJetStreamStats {
  /** Stored by JetStream. */
  frames: number
  bytes: number
  inFlight: number
  /** How often the window was sent again. */
  retries: number
  /** Frames sent twice that JetStream knew again and dropped. */
  repeats: number
}

type Done = (error?: Error | null) => void

const IN_FLIGHT = 256
/** How many of these wait to be published: what a writable buffers. */
const AHEAD = 16

/**
 * Made by `toJetStream()`. It ends when JetStream has stored all. Events besides a writable's own:
 * `'retry'` `(error)`, something failed and will be tried again, for ever.
 */
export class JetStreamWritable extends Writable {
  readonly #js: JetStreamClient
  readonly #options: ToJetStreamOptions
  readonly #limit: number
  #journal: Journal | undefined
  #publisher: Publisher | undefined
  readonly #epoch = randomBytes(9).toString('base64url')
  #index = 0
  #collected: Frame[] = []
  #unwritten: Frame[] = []
  #held: Done | undefined
  #ending: Done | undefined
  #frames = 0
  #bytes = 0

  constructor(js: JetStreamClient, options: ToJetStreamOptions) {
    const names = ['stream', 'inFlight', 'journal', 'shared'] as const
    const checked = checkOptions(options, names)
    checkName('options.stream', checked.stream)
    const { inFlight = IN_FLIGHT, shared = false } = checked
    checkInteger('options.inFlight', inFlight, 1, 65_536)
    checkBoolean('options.shared', shared)
    connectionOf(js)
    const ahead = Math.min(AHEAD, Math.ceil(inFlight / 2))
    // Once this is called, so is _construct, whatever the constructor throws.
    super({ objectMode: true, highWaterMark: ahead })
    this.#limit = Math.max(1, inFlight - ahead)
    this.#js = js
    this.#options = checked
  }

  get stats(): ToJetStreamStats {
    const { retries = 0, repeats = 0 } = this.#publisher?.stats ?? {}
    const inFlight = this.#publisher?.size ?? 0
    return { frames: this.#frames, bytes: this.#bytes, inFlight, retries, repeats }
  }

  /** After a destruction: what was written and is not known to be stored. */
  get unstored(): Frame[] {
    return [...(this.#publisher?.unstored ?? []), ...this.#collected, ...this.#unwritten]
  }

  override _construct(callback: Done): void {
    const { stream, shared = false, journal } = this.#options
    try {
      if (journal) this.#journal = new Journal(journal, this.#limit)
      this.#publisher = new Publisher(
        this.#js,
        { stream, shared, indexOf: (id) => this.#journal?.indexOf(id) },
        {
          stored: (message) => this.#stored(message),
          room: () => this.#room(),
          retry: (error) => this.emit('retry', error),
          failed: (error) => this.destroy(error),
        },
      )
    } catch (error) {
      callback(error as Error)
      return
    }
    this.#publisher.start().then(() => callback(), callback)
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: Done): void {
    let frame: Frame
    try {
      frame = frameOf(chunk)
    } catch (error) {
      callback(error as Error)
      return
    }
    // What is written in one turn goes into the journal at once.
    if (this.#collected.length === 0) process.nextTick(() => this.#flush())
    this.#collected.push(frame)
    this.#held = callback
    this.#room()
  }

  #flush(): void {
    const frames = this.#collected
    const publisher = this.#publisher as Publisher
    if (frames.length === 0 || this.destroyed) return
    this.#collected = []
    try {
      publisher.push(this.#number(frames))
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  #number(frames: readonly Frame[]): Outgoing[] {
    const first = this.#journal?.record(frames) ?? this.#index + 1
    this.#index = first + frames.length - 1
    return frames.map((frame, i) => ({
      index: first + i,
      id: this.#journal?.id(first + i) ?? `${this.#epoch}-${first + i}`,
      frame,
      stored: false,
    }))
  }

  #stored({ frame, index }: Outgoing): boolean {
    if (this.destroyed) return false
    if (frame instanceof AckFrame) {
      try {
        this.#journal?.noteRemoval(index)
      } catch (error) {
        this.destroy(error as Error)
        return false
      }
      if (!frame.ack()) {
        const hint = 'a bridge must be the only consumer of its queue'
        const problem = 'a message that is stored could not be removed from the queue'
        this.destroy(new BridgeError('ERR_JOURNAL_CONFLICT', problem, { hint }))
        return false
      }
    }
    this.#frames++
    this.#bytes += frame.data.length
    return true
  }

  #room(): void {
    const waiting = this.#collected.length + (this.#publisher as Publisher).size
    if (waiting < this.#limit) this.#release()
    if (waiting === 0) this.#end()
  }

  #release(): void {
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  #end(): void {
    const ending = this.#ending
    this.#ending = undefined
    ending?.()
  }

  override _final(callback: Done): void {
    this.#ending = callback
    this.#flush()
    this.#room()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#unwritten = buffered<unknown>(this).map(frameOf)
    this.#publisher?.close()
    this.#journal?.close()
    callback(error)
  }
}

function frameOf(chunk: unknown): Frame {
  const { type, data } = chunk instanceof Frame ? chunk : new Frame(1, chunk)
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  if (!(bytes instanceof Uint8Array)) {
    const wanted = 'must be a Frame, a Buffer or a string'
    throw argumentError('ERR_INVALID_ARG_TYPE', 'chunk', wanted, chunk)
  }
  if (chunk instanceof Frame && bytes === data) return chunk as Frame
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return chunk instanceof Frame ? chunk.withData(buffer) : new Frame(type, buffer)
}

/**
 * A writable stream of frames into a JetStream stream that exists (`ensureStream()` creates it).
 * `AckFrame`s are acknowledged, in order, once JetStream has stored them.
 */
export function toJetStream(js: JetStreamClient, options: ToJetStreamOptions): JetStreamWritable {
  return new JetStreamWritable(js, options)
}
