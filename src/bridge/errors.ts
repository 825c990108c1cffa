/** What can go wrong between a queue and JetStream. */

/**
 * - `ERR_NATS_UNREACHABLE`: no server answers
 * - `ERR_NATS_AUTHORIZATION`: the server refuses the credentials
 * - `ERR_NATS_PERMISSION`: the user may not do that
 * - `ERR_NATS_CLOSED`: the connection was closed for good
 * - `ERR_JETSTREAM_DISABLED`: the server, or the account, has no JetStream
 * - `ERR_STREAM_NOT_FOUND`, `ERR_STREAM_SUBJECTS`: no such stream; it stores other subjects
 * - `ERR_STREAM_REFUSED`: the stream will never take this message; `hint` tells why
 * - `ERR_STREAM_WENT_BACK`: of `'retry'` alone: the stream has not what it delivered, and goes on from
 *   where it stands now; what is published there again comes twice
 * - `ERR_PAYLOAD_TOO_LARGE`: a message above the server's `max_payload` or the stream's `max_msg_size`
 * - `ERR_JOURNAL_BUSY`: another bridge uses the journal
 * - `ERR_JOURNAL_CONFLICT`: somebody else received from the queue
 */
export type BridgeErrorCode =
  | 'ERR_NATS_UNREACHABLE'
  | 'ERR_NATS_AUTHORIZATION'
  | 'ERR_NATS_PERMISSION'
  | 'ERR_NATS_CLOSED'
  | 'ERR_JETSTREAM_DISABLED'
  | 'ERR_STREAM_NOT_FOUND'
  | 'ERR_STREAM_SUBJECTS'
  | 'ERR_STREAM_REFUSED'
  | 'ERR_STREAM_WENT_BACK'
  | 'ERR_PAYLOAD_TOO_LARGE'
  | 'ERR_JOURNAL_BUSY'
  | 'ERR_JOURNAL_CONFLICT'

/** The bridge cannot go on. Whatever it had not delivered is where it came from. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError'
  readonly code: BridgeErrorCode
  declare readonly hint?: string

  constructor(
    code: BridgeErrorCode,
    message: string,
    { hint, cause }: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${message} (${code})`, cause === undefined ? undefined : { cause })
    this.code = code
    if (hint !== undefined) this.hint = hint
  }
}
