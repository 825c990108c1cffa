/** `kernelmq/nats`: queues and NATS JetStream. */

export type { Credentials } from './bridge/connection.js'
export { BridgeError, type BridgeErrorCode } from './bridge/errors.js'
export {
  type FromJetStreamOptions,
  type FromJetStreamStats,
  fromJetStream,
  JetStreamReadable,
} from './bridge/from-jetstream.js'
export type { JournalOptions } from './bridge/journal.js'
export { type BridgeOptions, type BridgeStats, runBridge } from './bridge/run.js'
export { ensureStream, type StreamOptions } from './bridge/stream.js'
export {
  JetStreamWritable,
  type ToJetStreamOptions,
  type ToJetStreamStats,
  toJetStream,
} from './bridge/to-jetstream.js'
export { toQueue } from './bridge/to-queue.js'
