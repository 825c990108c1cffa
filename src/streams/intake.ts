/**
 * The way in, from the kernel to a readable: takes messages in batches, waits where there are none, and
 * gives back what nobody read. Used by every stream that reads.
 */
import { type Codec, decodeFrame, rawFrame } from '../codecs.js'
import type { Channel, Reader } from '../drivers/channel.js'
import { framesLost } from '../drivers/put-back.js'
import type { Waiter } from '../drivers/receiver.js'
import type { Taken } from '../drivers/records.js'
import { QueueError } from '../errors.js'
import { AckFrame, Frame } from '../frame.js'
import { type Readable, takeBuffered } from './base.js'
import type { Supply } from './supply.js'
import { proceed, spend } from './turn.js'

export interface IntakeOptions {
  highWaterMark: number
  bigint: boolean
  objectMode: boolean
  eof: boolean
  requeue: boolean
  codec: Codec<unknown>
}

export class Intake implements Reader, Waiter {
  readonly #stream: Readable
  readonly #channel: Channel
  readonly #supply: Supply
  readonly #options: IntakeOptions
  readonly bigint: boolean
  keepAlive = true
  // Frames of the last batch from #next on have not been pushed.
  #batch: Frame[] = []
  #next = 0
  #lastType: number | bigint = 0
  #asked = 0
  #drained = false
  #scheduled = false
  #waiting = false
  #stopped = false
  #ended = false

  constructor(stream: Readable, channel: Channel, supply: Supply, options: IntakeOptions) {
    this.#stream = stream
    this.#channel = channel
    this.#supply = supply
    this.#options = options
    this.bigint = options.bigint
    channel.attach(this)
  }

  /**
   * `_read`: always at the next tick, when the consumer has emptied the stream's buffer. Then the
   * frames of a batch pass straight to the listeners; asked at once, it would take one at a time.
   */
  read(): void {
    if (this.#scheduled || this.#waiting || this.#ended) return
    this.#scheduled = true
    proceed(this.#refill)
  }

  readonly #refill = (): void => {
    this.#scheduled = false
    if (this.#ended || this.#waiting || this.#handingOver) return
    if (this.#drained) {
      this.#wait()
      return
    }
    let taken: Taken
    try {
      taken = this.#supply.take(this.max(), this.bigint)
    } catch (error) {
      this.fail(error as Error)
      return
    }
    if (taken.frames.length > 0 || taken.rest) this.#supply.settle(this, taken)
    else this.#wait()
  }

  #wait(): void {
    this.#waiting = true
    this.#drained = false
    this.#supply.wait(this)
  }

  max(): number {
    // Bytes cannot be put back in their place, so a message is only taken when it is asked for.
    this.#asked = this.#options.objectMode
      ? Math.max(1, this.#options.highWaterMark - this.#stream.readableLength)
      : 1
    return this.#asked
  }

  deliver(frames: Frame[]): void {
    this.#waiting = false
    // The queue had no more: waiting for the next turn lets some gather, asking again would not.
    this.#drained = frames.length < this.#asked
    this.#batch = frames
    this.#next = 0
    this.#handOver(frames)
  }

  #handOver(frames: Frame[]): void {
    const first = this.#next
    let bytes = 0
    // A listener may destroy the stream: then the rest of the batch is not this loop's.
    try {
      while (this.#batch === frames && this.#next < frames.length) {
        const frame = frames[this.#next++] as Frame
        bytes += frame.data.length
        if (this.#options.eof && frame.data.length === 0) this.#endAt(frame)
        else this.#push(frame)
      }
    } catch (error) {
      this.#interrupted(error, frames)
    }
    spend(this.#next - first, bytes)
    // By a listener, who was to have the rest of the batch first.
    if (this.#stopped && !this.#handingOver) this.#end()
  }

  get #handingOver(): boolean {
    return this.#next < this.#batch.length
  }

  // A listener threw, which is the process's affair and no fault of the stream's, nor of those who wait
  // for their turn: it is thrown on its own, and if the process goes on, so do all of these.
  #interrupted(error: unknown, frames: Frame[]): void {
    process.nextTick(() => {
      throw error
    })
    process.nextTick(() => {
      if (this.#batch === frames && this.#handingOver) this.#handOver(frames)
      else this.read()
    })
  }

  #push(raw: Frame): void {
    this.#lastType = raw.type
    if (!this.#options.objectMode) {
      this.#pushBytes(raw.data)
      return
    }
    let frame: Frame<unknown>
    try {
      frame = decodeFrame(this.#options.codec, raw)
    } catch (cause) {
      this.#invalid(cause, raw)
      return
    }
    this.#stream.push(frame)
  }

  // An empty message is no bytes and, with setEncoding(), part of a character is none yet: then the
  // stream has nothing new to hand over, and would not ask for more.
  #pushBytes(data: Buffer): void {
    const { readableLength } = this.#stream
    if (data.length > 0) this.#stream.push(data)
    const nothing =
      data.length === 0 ||
      (this.#stream.readableFlowing !== true && this.#stream.readableLength === readableLength)
    if (nothing) this.read()
  }

  #invalid(cause: unknown, frame: Frame): void {
    const error = new QueueError('ERR_INVALID_MESSAGE', {
      address: this.#channel.driver.address,
      cause,
      frame,
    })
    if (!this.#stream.emit('invalid', error, frame)) this.#stream.destroy(error)
    else if (!this.#handingOver) this.read()
  }

  fail(error: Error): void {
    this.#waiting = false
    this.#stream.destroy(error)
  }

  /** Takes no more; what was taken is handed over, then the stream ends. */
  stop(): void {
    if (this.#stopped || this.#ended) return
    this.#stopped = true
    if (!this.#handingOver) this.#cancelWait(() => this.#end())
  }

  #cancelWait(done: () => void): void {
    if (!this.#waiting) return done()
    this.#waiting = false
    this.#supply.cancel(this, done)
  }

  #endAt(mark: Frame): void {
    // With `ack` the mark is still in the queue.
    if (mark instanceof AckFrame) mark.ack()
    this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#batch = []
    this.#stream.push(null)
    // A stream that nobody reads ends too.
    if (this.#stream.readableLength === 0) this.#stream.read(0)
  }

  updateKeepAlive(): void {
    this.#supply.updateKeepAlive()
  }

  /** The queue is being closed: unread frames go back, and the stream ends without an error. */
  channelClosing(done: () => void): void {
    this.#cancelWait(() => {
      const lost = this.#giveBack()
      if (lost.length > 0) this.#stream.destroy(framesLost(this.#channel.driver, lost))
      else this.#end()
      done()
    })
  }

  /** `_destroy` */
  destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const ended = this.#ended && this.#stream.readableLength === 0
    this.#ended = true
    this.#channel.detach(this)
    this.#cancelWait(() => {
      const gone = error instanceof QueueError && error.code === 'EIDRM'
      if (gone) {
        error.frames = [...this.#unread(), ...this.#supply.release([], true)]
        callback(error)
        return
      }
      const lost = this.#giveBack(ended)
      const { driver } = this.#channel
      callback(lost.length > 0 ? framesLost(driver, lost, error ?? undefined) : error)
    })
  }

  /** What could not be put back. */
  #giveBack(ended = false): Frame[] {
    const unread = this.#options.requeue ? this.#unread() : this.#discard()
    // Bytes put back would come in another order.
    if (!this.#options.objectMode) return unread
    return this.#supply.release(unread, ended)
  }

  #discard(): Frame[] {
    this.#unread()
    return []
  }

  #unread(): Frame[] {
    const buffered = takeBuffered<Frame<unknown> | Buffer>(this.#stream)
    const rest = this.#batch.slice(this.#next)
    this.#batch = []
    if (!this.#options.objectMode) {
      // setEncoding() makes strings of them.
      const bytes = (buffered as Buffer[]).map((data) => Buffer.from(data))
      return [...bytes.map((data) => new Frame(this.#lastType, data)), ...rest]
    }
    return [...(buffered as Frame<unknown>[]).map(rawFrame), ...rest]
  }
}
