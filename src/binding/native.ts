/**
 * The typed face of the addon, and the only importer of it. The addon checks that a call is safe;
 * what a call means is checked by its callers. A result is what the system call returned or, where
 * it failed, its errno negated.
 */
import { packageFolder, require } from '../package.js'

/** Loads the addon of a package: its own build, or else the prebuilt one for this system. */
const load: (packageFolder: string) => unknown = require('node-gyp-build')

/** Messages in memory: records one after another, laid out as in `drivers/records.ts`. */
export type Slab = Uint8Array

export interface SysVStat {
  id: number
  key: number
  mode: number
  uid: number
  gid: number
  creatorUid: number
  creatorGid: number
  messages: number
  bytes: number
  maxBytes: number
  lastSendPid: number
  lastReceivePid: number
  /** Times are seconds since 1970, 0 for never. */
  lastSendTime: number
  lastReceiveTime: number
  changeTime: number
}

export interface SysVFunctions {
  get(key: number, flags: number): number
  send(id: number, slab: Slab, offset: number, count: number): number
  receive(
    id: number,
    slab: Slab,
    offset: number,
    max: number,
    type: number | bigint,
    except: boolean,
  ): number
  peek(id: number, slab: Slab, offset: number, max: number, index: number, longest: number): number
  acknowledge(id: number, type: number | bigint, length: number, receiver: number): number | Buffer
  stat(id: number): SysVStat | number
  set(id: number, values: { mode?: number; uid?: number; gid?: number; maxBytes?: number }): number
  remove(id: number): number
  list(): SysVStat[] | number
  usage(): { queues: number; messages: number; bytes: number } | number
  limits(): { msgmax: number; msgmnb: number; msgmni: number } | number
}

export interface SysVWait {
  /** 0 a message is there · positive: taken, or how many were sent · negative an errno (`-ECANCELED`: nothing happened;
   * `threadless`: of pthread_create). */
  ondone: (status: number, typeLow: number, typeHigh: number, threadless: boolean) => void
  forMessage(id: number, type: number | bigint, except: boolean): number
  forRoom(id: number, slab: Slab, offset: number, count: number): number
  cancel(): void
  keepAlive(keep: boolean): void
}

export interface PosixFunctions {
  open(
    name: string,
    flags: number,
    mode: number,
    maxMessages: number,
    maxMessageSize: number,
  ): number
  unlink(name: string): number
  attributes(fd: number): PosixAttributes | number
}

export interface PosixAttributes {
  flags: number
  maxMessages: number
  maxMessageSize: number
  messages: number
}

export interface PosixQueue {
  /** 0, or the errno that polling failed with, negated. */
  onmessage: (status: number) => void
  /** How many were sent; where none was, the errno, negated (`unpolled`: of polling). */
  onroom: (status: number, unpolled: boolean) => void
  send(slab: Slab, offset: number, count: number): number
  receive(slab: Slab, offset: number, max: number): number
  forMessage(): number
  forRoom(slab: Slab, offset: number, count: number): number
  cancelMessage(): void
  /** How many were sent by then. */
  cancelRoom(): number
  keepAlive(keep: boolean): void
  close(): void
}

export interface PosixNotifier {
  /** 1 a message has arrived · 2 the registration was removed · negative an errno. */
  onnotify: (what: number) => void
  register(queueFd: number): number
  keepAlive(keep: boolean): void
  close(): void
}

/** A queue as a pump takes it. */
export type PumpedQueue =
  | { id: number; type: number | bigint; except?: boolean }
  | { fd: number; shared: boolean; type: number | bigint }

/** Lines as a pump takes them: `size` is the longest message. */
export interface PumpedLines {
  fd: number
  size: number
  delimiter: number
  mark: Buffer
}

export interface PumpedInput extends PumpedLines {
  /** As many lines as fit in a message, or one. */
  pack: boolean
  count: boolean
  /** Whether to wait before reading, also where that blocks. Not for a pipe whose writers may be gone already: only
   * reading tells. */
  pollFirst: boolean
}

export interface PumpProgress {
  /** From or to the descriptor. */
  bytes: number
  /** Lines (if counted) or messages. */
  records: number
  /** What it is at, or was when it ended: the queue, or else the descriptor. */
  atQueue: boolean
}

export interface LinePump {
  /** 0 the end · 1 what comes next is not for it · negative an errno, of what it is at. `rest` is what it has in
   * hand: bytes, or `count` records. */
  ondone: (status: number, rest: Buffer, count: number, progress: PumpProgress) => void
  toQueue(queue: PumpedQueue, lines: PumpedInput, begun: Buffer): number
  fromQueue(queue: PumpedQueue, lines: PumpedLines & { eof: boolean }): number
  cancel(): void
  /** Undefined where it does not run. */
  progress(): PumpProgress | undefined
}

export interface Native {
  sysv: SysVFunctions
  SysVWait: new () => SysVWait
  posix: PosixFunctions
  PosixQueue: new (fd: number, shared: boolean) => PosixQueue
  PosixNotifier: new () => PosixNotifier
  LinePump: new () => LinePump
  system: { messageQueueLimit(): { soft: number; hard: number } | number }
}

export const native = load(packageFolder) as Native
