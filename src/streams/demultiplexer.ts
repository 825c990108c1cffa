/** One receive loop for many consumers by type. */
import type { Channel, Reader } from '../drivers/channel.js'
import type { Driver } from '../drivers/driver.js'
import { framesLost, putBack } from '../drivers/put-back.js'
import { checkSendType } from '../drivers/selection.js'
import { argumentError, QueueError } from '../errors.js'
import { EventEmitter } from '../events.js'
import type { Frame } from '../frame.js'
import { checkInteger, checkOneOf, checkOptions } from '../options.js'
import { destroyedError, Readable, takeBuffered } from './base.js'
import { QueueReadable } from './readable.js'

export interface DemultiplexOptions {
  /** How many frames are held, unclaimed or for one slow consumer, before the loop pauses. Default 16. */
  highWaterMark?: number
  /** What happens to a frame that nobody claims: wait for a consumer (default), or be dropped. */
  unclaimed?: 'hold' | 'discard'
}

/** Which frames a consumer claims: a type, several, or those for which a function returns true. */
export type Claim =
  | number
  | bigint
  | readonly (number | bigint)[]
  | ((type: number | bigint) => boolean)

interface DemultiplexerEvents {
  unclaimed: [frame: Frame]
  error: [error: Error]
  close: []
}

/**
 * Hands the messages of one receive loop to a stream for each type; both kinds of queue. Made by
 * `queue.demultiplex()`. A frame goes to the first stream that claims its type. A consumer that falls
 * behind by `highWaterMark` frames pauses the loop, and so all others: the queue has one head.
 *
 * Events: `'unclaimed'` (a frame that no stream claims), `'error'` (thrown if nobody listens),
 * `'close'`.
 */
export class Demultiplexer extends EventEmitter<DemultiplexerEvents> {
  readonly #channel: Channel
  readonly #highWaterMark: number
  readonly #discard: boolean
  readonly #source: QueueReadable
  readonly #outputs = new Set<DemultiplexedReadable>()
  readonly #reader: Reader = {
    channelClosing: (done) => {
      this.close().then(done, (error) => {
        done()
        this.emitError(error)
      })
    },
    updateKeepAlive() {},
  }
  #held: Frame[] = []
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(channel: Channel, options?: DemultiplexOptions) {
    super()
    channel.assertOpen()
    const { highWaterMark = 16, unclaimed = 'hold' } = checkOptions(options, [
      'highWaterMark',
      'unclaimed',
    ])
    this.#highWaterMark = checkInteger('options.highWaterMark', highWaterMark, 1, 2 ** 31 - 1)
    this.#discard =
      checkOneOf('options.unclaimed', unclaimed, ['hold', 'discard'] as const) === 'discard'
    this.#channel = channel
    // Before the source: what is held came before what that has ahead, and goes back before it.
    channel.attach(this.#reader)
    // Each frame is placed at once, so the source needs to take no more than is held here.
    this.#source = new QueueReadable(channel, { highWaterMark: this.#highWaterMark })
    this.#source.on('data', (frame: Frame) => this.#place(frame))
    this.#source.on('error', (error) => this.#fail(error))
    this.#source.on('end', () => this.#end())
  }

  /** A stream of the frames with these types. Destroying it hands its unread frames to the others. */
  readable(claim: Claim): Readable {
    this.#channel.assertOpen()
    if (this.#closing) throw destroyedError('readable')
    const output = new DemultiplexedReadable(
      checkClaim(this.#channel.driver.kind, claim),
      this.#highWaterMark,
      {
        wanted: () => this.#flow(),
        gone: (unread) => this.#release(output, unread),
      },
    )
    this.#outputs.add(output)
    const held = this.#held
    this.#held = []
    for (const frame of held) {
      if (output.claims(frame.type)) output.give(frame)
      else this.#held.push(frame)
    }
    this.#flow()
    return output
  }

  /** Frames that wait for a consumer. */
  get held(): number {
    return this.#held.length
  }

  #place(frame: Frame): void {
    for (const output of this.#outputs) {
      if (!output.claims(frame.type)) continue
      output.give(frame)
      this.#flow()
      return
    }
    if (!this.#discard) this.#held.push(frame)
    this.emit('unclaimed', frame)
    this.#flow()
  }

  #flow(): void {
    if (this.#closing) return
    let full = this.#held.length >= this.#highWaterMark
    for (const output of this.#outputs) full ||= output.full
    if (full) this.#source.pause()
    else if (this.#source.isPaused()) this.#source.resume()
  }

  #release(output: DemultiplexedReadable, unread: Frame[]): void {
    this.#outputs.delete(output)
    if (this.#closing) {
      this.#held.push(...unread)
      return
    }
    for (const frame of unread) this.#place(frame)
    this.#flow()
  }

  // Nobody places what is held any more: it goes back, or is on the error.
  #fail(cause: Error): void {
    if (this.#closing) return
    this.#closing = Promise.resolve()
    this.#channel.detach(this.#reader)
    const outputs = [...this.#outputs]
    const { driver } = this.#channel
    const lost = putBack(driver, this.#takeUnread())
    let error = cause
    if (lost.length > 0) {
      if (cause instanceof QueueError) cause.frames = [...(cause.frames ?? []), ...lost]
      else error = framesLost(driver, lost, cause)
    }
    for (const output of outputs) output.destroy(error)
    try {
      this.emitError(error)
    } finally {
      this.emit('close')
    }
  }

  /** Of each type, what came first goes back first. */
  #takeUnread(): Frame[] {
    const unread = [...this.#outputs].flatMap((output) => takeBuffered<Frame>(output))
    return [...this.#held.splice(0), ...unread]
  }

  #end(): void {
    for (const output of this.#outputs) output.push(null)
  }

  /** Stops the loop and puts unread frames back into the queue; the streams end. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#channel.detach(this.#reader)
    // It may have gone already, with the queue.
    const sourceGone = this.#source.closed
      ? undefined
      : new Promise<QueueError | undefined>((resolve) => {
          this.#source.once('error', resolve)
          this.#source.once('close', () => resolve(undefined))
        })
    const lost = putBack(this.#channel.driver, this.#takeUnread())
    this.#source.destroy()
    for (const output of this.#outputs) output.finish()
    const failure = await sourceGone
    lost.push(...(failure?.frames ?? []))
    this.emit('close')
    if (lost.length > 0) throw framesLost(this.#channel.driver, lost)
  }
}

interface Owner {
  /** The consumer asks for more. */
  wanted(): void
  /** The stream is destroyed, with these frames unread. */
  gone(unread: Frame[]): void
}

class DemultiplexedReadable extends Readable {
  /** Whether it has all that it may hold; until it asks for more, which it does once. */
  full = false
  readonly #claim: (type: number | bigint) => boolean
  readonly #owner: Owner

  constructor(claim: (type: number | bigint) => boolean, highWaterMark: number, owner: Owner) {
    super({ objectMode: true, highWaterMark })
    this.#claim = claim
    this.#owner = owner
  }

  /** A claim that throws fails its own stream; the frame is for the others. */
  claims(type: number | bigint): boolean {
    if (this.destroyed) return false
    try {
      return this.#claim(type)
    } catch (error) {
      this.destroy(error as Error)
      return false
    }
  }

  give(frame: Frame): void {
    this.full = !this.push(frame)
  }

  /** Ends the stream, also where nobody reads it. */
  finish(): void {
    this.push(null)
    this.read(0)
  }

  override _read(): void {
    this.full = false
    this.#owner.wanted()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#owner.gone(takeBuffered<Frame>(this))
    callback(error)
  }
}

function checkClaim(kind: Driver['kind'], claim: Claim): (type: number | bigint) => boolean {
  if (typeof claim === 'function') return claim
  const types = Array.isArray(claim) ? claim : [claim]
  if (types.length === 0) {
    const wanted = 'must be a type, an array of types, or a function of the type'
    throw argumentError('ERR_INVALID_ARG_TYPE', 'claim', wanted, claim)
  }
  // Frames have their types as numbers here.
  const set = new Set(types.map((type) => Number(checkSendType(kind, 'claim', type))))
  return (type) => set.has(Number(type))
}
