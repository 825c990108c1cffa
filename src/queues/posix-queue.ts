/** POSIX queues: mq_overview(7). */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs'
import { native, type PosixAttributes } from '../binding/native.js'
import type { PosixDriver } from '../drivers/posix-driver.js'
import { notSupported } from '../drivers/selection.js'
import { errnoName, QueueError } from '../errors.js'
import { checkOptions } from '../options.js'
import { checkOwnership } from './configuration.js'
import { MessageQueue } from './message-queue.js'
import { notification } from './notification.js'
import type { Configuration, PosixStats } from './stats.js'
import { checkWaiting, type WaitOptions, waiting } from './waiting.js'

export class PosixQueue extends MessageQueue<PosixDriver> {
  readonly kind = 'posix'
  /** The descriptor. It belongs to this handle: do not close it. */
  readonly fd: number
  /** `mq_maxmsg`: how many messages fit; fixed when the queue was created. */
  readonly maxMessages: number
  readonly #name: string | undefined

  /** @internal */
  constructor(driver: PosixDriver, name: string | undefined) {
    super(driver)
    this.fd = driver.fd
    this.maxMessages = driver.maxMessages
    this.#name = name
  }

  /**
   * Resolves when a message arrives on the empty queue and nobody waits in `receive`; mq_notify(3). The
   * registration stands when the call returns, and is one for all processes: `EBUSY` where another one
   * exists.
   */
  async notify(options?: Pick<WaitOptions, 'signal'>): Promise<void> {
    const checked = checkOptions(options, ['signal'])
    this.channel.assertOpen()
    const where = {
      syscall: 'mq_notify',
      address: this.address,
      keepsAlive: this.channel.liveness.keep,
    }
    return waiting(checkWaiting(checked), where, (attempt) => notification(this.channel, attempt))
  }

  /** Throws `ENOTSUP`: mq_receive(3) takes what it reads. */
  peek(_index?: number, _options?: { bigint?: boolean }): never {
    const hint = 'a System V queue can'
    throw notSupported(this.channel.driver, 'a POSIX queue cannot be peeked at', hint)
  }

  /** mq_getattr(3), fstat(2) and, where the queue may be read, its status line. */
  stats(): PosixStats {
    this.channel.assertOpen()
    const { driver } = this.channel
    return describePosix(
      this.address,
      driver.attributes(),
      this.#system('fstat', () => fstatSync(this.fd)),
      readStatus(this.fd),
    )
  }

  /** Changes mode and owner; fchmod(2), fchown(2). */
  configure(configuration: Configuration): void {
    const values = checkOptions(configuration, ['mode', 'uid', 'gid'], 'configuration')
    checkOwnership(values)
    this.channel.assertOpen()
    const { mode, uid, gid } = values
    if (uid !== undefined || gid !== undefined) {
      this.#system('fchown', () => {
        const now = fstatSync(this.fd)
        fchownSync(this.fd, uid ?? now.uid, gid ?? now.gid)
      })
    }
    if (mode !== undefined) this.#system('fchmod', () => fchmodSync(this.fd, mode))
  }

  /** mq_unlink(3): the name goes at once, the queue with its last open handle. */
  unlink(): void {
    this.channel.assertOpen()
    if (this.#name === undefined) {
      throw new QueueError('ENOTSUP', {
        syscall: 'mq_unlink',
        address: this.address,
        message: 'a queue opened by descriptor has no name to remove',
      })
    }
    unlinkPosix(this.#name)
  }

  #system<T>(syscall: string, call: () => T): T {
    try {
      return call()
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'EIO'
      throw new QueueError(code, { syscall, address: this.address, cause })
    }
  }
}

export function unlinkPosix(name: string): void {
  const failed = native.posix.unlink(name)
  if (failed < 0) throw new QueueError(errnoName(-failed), { syscall: 'mq_unlink', address: name })
}

/** What the status line says: `QSIZE:129 NOTIFY:2 SIGNO:0 NOTIFY_PID:8260`. */
interface Status {
  bytes: number
  notify: number
  signal: number
  pid: number
}

/** The status line of an open queue; undefined where this descriptor may not be read, nor another. */
export function readStatus(fd: number): Status | undefined {
  const line = Buffer.alloc(256)
  try {
    return parseStatus(line.toString('latin1', 0, readSync(fd, line, 0, line.length, 0)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error
  }
  // Open for writing alone: the same queue once more, if that is permitted.
  let reader: number
  try {
    reader = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined
    throw error
  }
  try {
    return parseStatus(line.toString('latin1', 0, readSync(reader, line, 0, line.length, 0)))
  } finally {
    closeSync(reader)
  }
}

function parseStatus(line: string): Status {
  const field = (name: string) => Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0)
  return {
    bytes: field('QSIZE'),
    notify: field('NOTIFY'),
    signal: field('SIGNO'),
    pid: field('NOTIFY_PID'),
  }
}

/** `sigev_notify`, by number: SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD. */
const notifyMethods = ['signal', 'none', 'thread'] as const

/** Numbers that may not be read are NaN. */
export function describePosix(
  address: string,
  attributes: PosixAttributes | undefined,
  file: Stats,
  status: Status | undefined,
): PosixStats {
  const registered = status !== undefined && status.pid !== 0
  return {
    kind: 'posix',
    address,
    messages: attributes?.messages ?? Number.NaN,
    bytes: status?.bytes ?? Number.NaN,
    maxMessages: attributes?.maxMessages ?? Number.NaN,
    maxMessageSize: attributes?.maxMessageSize ?? Number.NaN,
    mode: file.mode & 0o777,
    uid: file.uid,
    gid: file.gid,
    nonBlocking: ((attributes?.flags ?? 0) & constants.O_NONBLOCK) !== 0,
    notifyPid: registered ? status.pid : null,
    notifyMethod: registered ? (notifyMethods[status.notify] ?? null) : null,
    notifySignal: registered && status.notify === 0 ? status.signal : null,
  }
}
