/** Frames out of a JetStream stream, acknowledged there when they are acknowledged here. */
import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream'
import type { NatsConnection, Status } from '@nats-io/transport-node'
import { AckFrame } from '../frame.js'
import { checkInteger, checkOptions } from '../options.js'
import { Readable } from '../streams/base.js'
import { backoff, connectionOf, explain } from './connection.js'
import { type Claim, Durable } from './durable.js'
import { BridgeError } from './errors.js'
import { type Place, PositionFile, START } from './position-file.js'
import { checkName, typeOf } from './subjects.js'

export interface FromJetStreamOptions {
  stream: string
  /** The durable consumer, for this reader alone; created if it is not there. */
  consumer: string
  /** Only frames of this type: of the subject `STREAM.TYPE`. */
  type?: number | bigint
  /** How many frames are taken and not acknowledged, at most. Default 256. */
  highWaterMark?: number
  /** Milliseconds after which JetStream gives up waiting for a dead reader. Default 30,000. */
  ackWait?: number
  /** A file that keeps the position, so that a kill repeats one message at most. */
  position?: string
}

export interface FromJetStreamStats {
  /** Acknowledged. */
  frames: number
  bytes: number
  inFlight: number
  /** How often the consumer was claimed again. */
  retries: number
  /** Deliveries of what was taken before, dropped. */
  repeats: number
  /** Messages in the stream behind the last one taken. */
  lag: number
}

const HIGH_WATER_MARK = 256
const ACK_WAIT_MS = 30_000
/** JetStream ends a request for messages after this long, and the next one is made. */
const EXPIRES_MS = 5000
/** A message of another publisher that names no type. */
const DEFAULT_TYPE = 1
const NANOS_PER_MS = 1_000_000n

interface Held {
  readonly place: Place
  /** As delivered last: what is acknowledged. */
  message: JsMsg
}

/**
 * Made by `fromJetStream()`. A frame's `ack()` tells JetStream: call it, in order, once the frame is
 * where it belongs. Events besides a readable's own: `'retry'` `(error)`, as on the way there.
 */
export class JetStreamReadable extends Readable {
  readonly #connection: NatsConnection
  readonly #js: JetStreamClient
  readonly #options: FromJetStreamOptions
  readonly #limit: number
  readonly #ackWait: number
  #durable!: Durable
  readonly #status: AsyncIterable<Status> & { stop?(): void }
  readonly #stopping = new AbortController()
  /** `'acknowledged'`, `'connected'`: what the loop waits for. */
  readonly #changes = new EventEmitter()
  #position: PositionFile | undefined
  /** Taken and not acknowledged, by their sequence in the stream. */
  readonly #held = new Map<number, Held>()
  #claim: Claim = { from: 1, delivery: 1 }
  /** The newest taken. */
  #last = START
  #messages: ConsumerMessages | undefined
  #keepHeld: NodeJS.Timeout | undefined
  #connected = true
  #unclaimed = false
  #failures = 0
  #stats = { frames: 0, bytes: 0, retries: 0, repeats: 0, lag: 0 }

  constructor(js: JetStreamClient, options: FromJetStreamOptions) {
    const names = ['stream', 'consumer', 'type', 'highWaterMark', 'ackWait', 'position'] as const
    const checked = checkOptions(options, names)
    const { stream, consumer, highWaterMark = HIGH_WATER_MARK, ackWait = ACK_WAIT_MS } = checked
    checkName('options.stream', stream)
    checkName('options.consumer', consumer)
    checkInteger('options.highWaterMark', highWaterMark, 1, 65_536)
    checkInteger('options.ackWait', ackWait, 1000, 3_600_000)
    const connection = connectionOf(js)
    // Once this is called, so is _construct, whatever the constructor throws.
    super({ objectMode: true, highWaterMark })
    this.#limit = highWaterMark
    this.#ackWait = ackWait
    this.#options = checked
    this.#js = js
    this.#connection = connection
    this.#status = this.#connection.status()
  }

  get stats(): FromJetStreamStats {
    return { ...this.#stats, inFlight: this.#held.size }
  }

  override _construct(callback: (error?: Error | null) => void): void {
    this.#open().then(
      () => {
        callback()
        this.#follow().catch((error) => this.destroy(error))
        this.#run().catch((error) => this.destroy(error))
      },
      (error) => callback(this.#explain(error)),
    )
  }

  async #open(): Promise<void> {
    const { stream, consumer, type, position } = this.#options
    if (position !== undefined) {
      this.#position = new PositionFile(position, `${stream} ${consumer}`)
    }
    this.#durable = new Durable(this.#js, {
      stream,
      consumer,
      type,
      limit: this.#limit,
      ackWait: this.#ackWait,
      id: this.#position?.id,
    })
    this.#claim = await this.#durable.claim(undefined, await this.#noted())
    // What is held for long, because the queue is full, is still wanted.
    this.#keepHeld = setInterval(() => {
      for (const { message } of this.#held.values()) message.working()
    }, this.#ackWait / 3)
  }

  /** The last message that the kernel has, by a file that may be about what is no more. */
  async #noted(): Promise<number> {
    const last = this.#position?.last ?? START
    if (await this.#durable.isMine()) {
      if (await this.#durable.remembers(last)) return last.sequence
      this.#tellOfReturn(last)
    }
    // Before the consumer is made: the next reader would believe the note of this one.
    this.#position?.note(START)
    return START.sequence
  }

  #tellOfReturn({ sequence }: Place): void {
    const { stream } = this.#options
    const message = `the stream ${stream} went back: it was restored, or its server lost message ${sequence}, which was delivered; what is published again comes again`
    this.emit('retry', new BridgeError('ERR_STREAM_WENT_BACK', message))
  }

  /** Frames come as JetStream sends them; what may be taken is bounded by what is acknowledged. */
  override _read(): void {}

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        if (this.#unclaimed) await this.#claimAgain()
        await this.#fetch()
      } catch (cause) {
        if (signal.aborted) break
        const error = this.#explain(cause)
        if (isFinal(error)) throw error
        this.#unclaimed = true
        this.#stats.retries++
        this.emit('retry', error)
      }
    }
    if (!this.destroyed) this.push(null)
  }

  async #fetch(): Promise<void> {
    const { stream, consumer } = this.#options
    const durable = await this.#js.consumers.get(stream, consumer)
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const room = this.#limit - this.#held.size
      if (room < Math.ceil(this.#limit / 4)) {
        await once(this.#changes, 'acknowledged', { signal })
        continue
      }
      this.#messages = await durable.fetch({ max_messages: room, expires: EXPIRES_MS })
      if (signal.aborted) this.#messages.stop()
      for await (const message of this.#messages) this.#take(message)
      if (!this.#connected) throw new Error('the connection broke')
    }
  }

  #take(message: JsMsg): void {
    const { deliverySequence, streamSequence: sequence, pending } = message.info
    if (deliverySequence !== this.#claim.delivery) {
      throw new Error(`delivery ${this.#claim.delivery} was lost on the way`)
    }
    this.#claim.delivery++
    this.#failures = 0
    this.#stats.lag = pending
    if (sequence < this.#claim.from) {
      this.#stats.repeats++
      // One of those held is acknowledged as the new delivery; others were, and it got lost.
      const held = this.#held.get(sequence)
      if (held) held.message = message
      else message.ack()
      return
    }
    this.#claim.from = sequence + 1
    this.#last = { sequence, time: Number(message.timestampNanos / NANOS_PER_MS) }
    const held: Held = { place: this.#last, message }
    this.#held.set(sequence, held)
    const { buffer, byteOffset, length } = message.data
    const data = Buffer.from(buffer, byteOffset, length)
    const type = typeOf(message) ?? DEFAULT_TYPE
    this.push(new AckFrame(type, data, () => this.#acknowledge(held, length)))
  }

  #acknowledge(held: Held, length: number): boolean {
    const { place, message } = held
    if (this.destroyed) return false
    if (this.#held.get(place.sequence) !== held) return true
    this.#position?.note(place)
    this.#held.delete(place.sequence)
    // While there is no connection this is lost; the message comes again and is known.
    if (this.#connected) message.ack()
    this.#stats.frames++
    this.#stats.bytes += length
    this.#changes.emit('acknowledged')
    return true
  }

  async #claimAgain(): Promise<void> {
    const { signal } = this.#stopping
    await delay(backoff(this.#failures++), undefined, { signal })
    while (!this.#connected) await once(this.#changes, 'connected', { signal })
    if (await this.#durable.remembers(this.#last)) {
      // From the first that is held: JetStream has to know that it is not acknowledged.
      const [oldest = this.#claim.from] = this.#held.keys()
      const { delivery } = await this.#durable.claim(oldest, START.sequence)
      this.#claim.delivery = delivery
    } else {
      this.#tellOfReturn(this.#last)
      // The numbers are others' now. What is held comes again, and what they are given to is new.
      this.#held.clear()
      this.#last = START
      this.#position?.note(START)
      this.#claim = await this.#durable.claim(undefined, START.sequence)
    }
    this.#unclaimed = false
  }

  async #follow(): Promise<void> {
    for await (const { type } of this.#status) {
      if (type === 'disconnect') {
        this.#connected = false
        this.#messages?.stop()
      } else if (type === 'reconnect') {
        this.#connected = true
        this.#changes.emit('connected')
      } else if (type === 'close') {
        throw new BridgeError('ERR_NATS_CLOSED', 'the connection to NATS was closed')
      }
    }
  }

  #explain(error: unknown): Error {
    return explain(error, `stream ${this.#options.stream}`)
  }

  /** Takes no more from the stream; what was taken is handed over, then `end`. */
  stop(): void {
    this.#stopping.abort()
    this.#messages?.stop()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.stop()
    clearInterval(this.#keepHeld)
    this.#status.stop?.()
    this.#position?.close()
    callback(error)
  }
}

function isFinal(error: Error): boolean {
  return (
    error instanceof BridgeError &&
    ['ERR_NATS_PERMISSION', 'ERR_NATS_CLOSED', 'ERR_STREAM_SUBJECTS'].includes(error.code)
  )
}

/**
 * The messages of a stream as `AckFrame`s, by a durable pull consumer. With `toQueue(queue)` behind it
 * a message is acknowledged once the kernel has it.
 */
export function fromJetStream(
  js: JetStreamClient,
  options: FromJetStreamOptions,
): JetStreamReadable {
  return new JetStreamReadable(js, options)
}
