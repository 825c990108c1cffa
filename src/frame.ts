/**
 * One message: its type (System V mtype, POSIX priority) and its data, a `Buffer` unless a codec has
 * decoded it. Write frames to give each message a type of its own.
 */
export class Frame<T = Buffer> {
  /** A bigint where it was asked for with `bigint: true`. */
  type: number | bigint
  data: T

  constructor(type: number | bigint, data: T) {
    this.type = type
    this.data = data
  }

  /** The same message with other data. */
  withData<U>(data: U): Frame<U> {
    return new Frame(this.type, data)
  }
}

/**
 * A frame that was received: its type is a bigint where that was asked for, and a number elsewhere. `B` is
 * the option `bigint`.
 */
export type Received<B, F = Frame> = F & { type: B extends true ? bigint : number }

/** A message that stays in the queue until it is acknowledged: what `readable({ ack: true })` yields. */
export class AckFrame<T = Buffer> extends Frame<T> {
  readonly #acknowledge: () => boolean

  constructor(type: number | bigint, data: T, acknowledge: () => boolean) {
    super(type, data)
    this.#acknowledge = acknowledge
  }

  /**
   * Removes the message from the queue, as soon as the earlier ones of its type are acknowledged.
   * A second call does nothing. `false`: too late, for the stream was destroyed or the queue closed;
   * the message is still there and will be delivered again.
   */
  ack(): boolean {
    return this.#acknowledge()
  }

  override withData<U>(data: U): AckFrame<U> {
    return new AckFrame(this.type, data, this.#acknowledge)
  }
}
