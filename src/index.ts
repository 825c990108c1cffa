/** Contents of the package. */
export {
  type Address,
  type FdAddress,
  type FileAddress,
  formatAddress,
  ftok,
  type IdAddress,
  type KeyAddress,
  type NameAddress,
  type PosixAddress,
  type PrivateAddress,
  parseAddress,
  type SysVAddress,
} from './address.js'
export type { Codec, CodecName, Data } from './codecs.js'
export { type ConsumerEvents, QueueConsumer } from './consumer.js'
export { AbortError, QueueError } from './errors.js'
export { AckFrame, Frame, type Received } from './frame.js'
export {
  MessageQueue,
  type ReceiveOptions,
  type SendOptions,
} from './queues/message-queue.js'
export {
  type Access,
  type OpenOptions,
  open,
  type PosixOpenOptions,
  type SysVOpenOptions,
  unlink,
} from './queues/open.js'
export { PosixQueue } from './queues/posix-queue.js'
export type { Configuration, PosixStats, QueueStats, SysVStats } from './queues/stats.js'
export {
  type Limits,
  limits,
  list,
  type NewLimits,
  type PosixLimits,
  posixCost,
  type SysVLimits,
  setLimits,
} from './queues/system.js'
export { SysVQueue } from './queues/sysv-queue.js'
export type { WaitOptions } from './queues/waiting.js'
export { type Claim, Demultiplexer, type DemultiplexOptions } from './streams/demultiplexer.js'
export { type DuplexOptions, QueueDuplex } from './streams/duplex.js'
export type { ReadableOptions, WritableOptions } from './streams/options.js'
export { QueueReadable } from './streams/readable.js'
export { QueueWritable } from './streams/writable.js'
