/** The kernel's limits, read where it shows them. They may change at any time, so nothing is kept. */
import { readFileSync } from 'node:fs'
import { native } from '../binding/native.js'
import { errnoName, QueueError } from '../errors.js'

/** The file of a sysctl: `kernel.msgmax` → `/proc/sys/kernel/msgmax`. */
export function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`
}

export function readLimit(sysctl: string): number {
  try {
    return Number(readFileSync(sysctlPath(sysctl), 'utf8'))
  } catch (cause) {
    const { code = 'EIO', syscall = 'read' } = cause as NodeJS.ErrnoException
    throw new QueueError(code, { syscall, message: `${sysctl} cannot be read`, cause })
  }
}

/** `HARD_MSGMAX` and `HARD_MSGSIZEMAX` of mq_overview(7), `IPCMNI` of the kernel's ipc/util.h. */
const highest: Record<string, number> = {
  'fs.mqueue.msg_max': 65_536,
  'fs.mqueue.msgsize_max': 2 ** 24,
  'kernel.msgmni': 32_768,
}

/** As far as the kernel lets a sysctl be raised; others than these take any int. */
export function highestLimit(sysctl: string): number {
  return highest[sysctl] ?? 2 ** 31 - 1
}

/** RLIMIT_MSGQUEUE in bytes; getrlimit(2). */
export function readMessageQueueLimit(): { soft: number; hard: number } {
  const limit = native.system.messageQueueLimit()
  if (typeof limit === 'number') throw new QueueError(errnoName(-limit), { syscall: 'getrlimit' })
  return limit
}
