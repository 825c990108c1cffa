/** `kernelmq/nats`: queues and NATS JetStream. */
export { BridgeError, type BridgeErrorCode } from './bridge/errors.js'
export type { JournalOptions } from './bridge/journal.js'
export { ensureStream, type StreamOptions } from './bridge/stream.js'
export {
  JetStreamWritable,
  type ToJetStreamOptions,
  type ToJetStreamStats,
  toJetStream,
} from './bridge/to-jetstream.js'
