/** System V queues: sysvipc(7). */
import { native, type SysVStat } from '../binding/native.js'
import { sysvMaxBytesHint } from '../drivers/hints.js'
import { readLimit } from '../drivers/proc.js'
import { inbox } from '../drivers/records.js'
import { notSupported } from '../drivers/selection.js'
import type { SysVDriver } from '../drivers/sysv-driver.js'
import { errno, errnoName, QueueError } from '../errors.js'
import type { Received } from '../frame.js'
import { checkBoolean, checkInteger, checkOptions } from '../options.js'
import { checkMaxBytes, checkOwnership } from './configuration.js'
import { MessageQueue } from './message-queue.js'
import type { Configuration, SysVStats } from './stats.js'

export class SysVQueue extends MessageQueue<SysVDriver> {
  readonly kind = 'sysv'
  /** The identifier: `msqid`. */
  readonly id: number
  /** Unsigned; 0 for a private queue. */
  readonly key: number

  /** @internal */
  constructor(driver: SysVDriver, key: number) {
    super(driver)
    this.id = driver.id
    this.key = key
  }

  /**
   * The message at a position, left in the queue; `null` behind the last one. msgrcv(2) with
   * `MSG_COPY`; `ENOSYS` on kernels without `CONFIG_CHECKPOINT_RESTORE`.
   */
  peek<B extends boolean = false>(index = 0, options?: { bigint?: B }): Received<B> | null {
    checkInteger('index', index, 0, Number.MAX_SAFE_INTEGER)
    const { bigint = false } = checkOptions<{ bigint?: boolean }>(options, ['bigint'])
    checkBoolean('options.bigint', bigint)
    this.channel.assertOpen()
    const { driver } = this.channel
    for (;;) {
      const longest = driver.longest()
      const taken = inbox.take(longest, bigint, (slab, offset) =>
        driver.peek(slab, offset, 1, index, longest),
      )
      if (typeof taken !== 'number') {
        if (taken.error) throw taken.error
        return taken.frames[0] as Received<B>
      }
      if (taken === -errno.ENOMSG) return null
      // msgmax has been raised since, or was higher when the message was sent.
      if (taken === -errno.E2BIG) driver.grow()
      else throw driver.error(taken, driver.receiveCall)
    }
  }

  /** Rejects with `ENOTSUP`: the kernel notifies of POSIX queues alone. */
  async notify(_options?: { signal?: AbortSignal }): Promise<never> {
    const hint = 'receive() and readable() wait for messages'
    throw notSupported(this.channel.driver, 'a System V queue does not notify', hint)
  }

  /** All of `IPC_STAT`; msgctl(2). Needs read permission. */
  stats(): SysVStats {
    this.channel.assertOpen()
    const stat = this.channel.driver.stat()
    return describeSysV(stat, this.address, readLimit('kernel.msgmax'))
  }

  /** Changes mode, owner and capacity; msgctl(2), `IPC_SET`. `EPERM` for others than owner and creator. */
  configure(configuration: Configuration): void {
    const values = checkOptions(configuration, ['mode', 'uid', 'gid', 'maxBytes'], 'configuration')
    checkOwnership(values)
    checkMaxBytes('configuration.maxBytes', values.maxBytes)
    this.channel.assertOpen()
    const { driver } = this.channel
    const failed = native.sysv.set(this.id, values)
    if (failed < 0) {
      const error = driver.error(failed, 'msgctl')
      const hint = sysvMaxBytesHint(error.code, values.maxBytes ?? 0)
      throw hint ? new QueueError(error.code, { ...where(error), hint }) : error
    }
    driver.refresh()
  }

  /** msgctl(2), `IPC_RMID`: the queue and all that is in it, for everyone. */
  unlink(): void {
    this.channel.assertOpen()
    const failed = native.sysv.remove(this.id)
    if (failed < 0) throw this.channel.driver.error(failed, 'msgctl')
  }
}

function where({ syscall, address }: QueueError): { syscall: string; address: string } {
  return { syscall: syscall as string, address: address as string }
}

function describeSysV(stat: SysVStat, address: string, msgmax: number): SysVStats {
  const { lastSendTime, lastReceiveTime, changeTime, ...rest } = stat
  return {
    kind: 'sysv',
    address,
    ...rest,
    maxMessageSize: Math.min(msgmax, stat.maxBytes),
    lastSendTime: time(lastSendTime),
    lastReceiveTime: time(lastReceiveTime),
    changeTime: time(changeTime),
  }
}

function time(seconds: number): Date | null {
  return seconds === 0 ? null : new Date(seconds * 1000)
}

export function listSysV(): SysVStats[] {
  const queues = native.sysv.list()
  if (typeof queues === 'number') throw new QueueError(errnoName(-queues), { syscall: 'msgctl' })
  const msgmax = readLimit('kernel.msgmax')
  return queues.map((stat) => describeSysV(stat, sysvAddress(stat), msgmax))
}

/** A queue by its key, or by its identifier where it has none. */
export function sysvAddress({ key, id }: { key: number; id: number }): string {
  return key === 0 ? `sysv:id=${id}` : `sysv:0x${key.toString(16).padStart(8, '0')}`
}
