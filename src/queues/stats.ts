/** What the system says of a queue. */

interface CommonStats {
  /** As `queue.address` writes it. */
  address: string
  /** How many messages are queued. */
  messages: number
  /** Their data, in bytes. */
  bytes: number
  /** The longest message that the queue takes, in bytes. */
  maxMessageSize: number
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
}

/** All of `IPC_STAT`; msgctl(2). */
export interface SysVStats extends CommonStats {
  kind: 'sysv'
  id: number
  /** Unsigned; 0 for a private queue. */
  key: number
  /** `msg_qbytes`: how many bytes of data fit, and how many messages. */
  maxBytes: number
  creatorUid: number
  creatorGid: number
  /** 0 for nobody yet. */
  lastSendPid: number
  lastReceivePid: number
  /** Whole seconds; `null` for never. */
  lastSendTime: Date | null
  lastReceiveTime: Date | null
  /** Of the creation, or of the last `configure()`. */
  changeTime: Date | null
}

/** mq_getattr(3), fstat(2) and the status line of the queue's file; mq_overview(7). */
export interface PosixStats extends CommonStats {
  kind: 'posix'
  /** `mq_maxmsg`: how many messages fit. */
  maxMessages: number
  /** Whether `O_NONBLOCK` is set on the open description. */
  nonBlocking: boolean
  /** Who is registered for mq_notify(3), and how; `null` for nobody. */
  notifyPid: number | null
  notifyMethod: 'signal' | 'none' | 'thread' | null
  notifySignal: number | null
}

export type QueueStats = SysVStats | PosixStats

/** What `configure()` changes. */
export interface Configuration {
  mode?: number
  uid?: number
  gid?: number
  /** System V only: `msg_qbytes`, 1 … 2³¹−1. */
  maxBytes?: number
}
