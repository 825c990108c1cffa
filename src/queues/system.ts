/** The system's queues and limits. */
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { native } from '../binding/native.js'
import { readLimit, readMessageQueueLimit, sysctlPath } from '../drivers/proc.js'
import { MAX_PRIORITY } from '../drivers/selection.js'
import { errnoName, QueueError } from '../errors.js'
import { checkInteger, checkOptions } from '../options.js'
import { describePosix, readStatus } from './posix-queue.js'
import type { PosixStats, QueueStats } from './stats.js'
import { listSysV } from './sysv-queue.js'

export { posixCost } from '../drivers/hints.js'

/** System V limits are those of the IPC namespace; `used` is what all its queues hold. */
export interface SysVLimits {
  /** The longest message, in bytes. */
  msgmax: number
  /** How many bytes a new queue holds. */
  msgmnb: number
  /** How many queues there can be. */
  msgmni: number
  used: { queues: number; messages: number; bytes: number }
}

export interface PosixLimits {
  /** How many messages a queue may be created for, by others than CAP_SYS_RESOURCE. */
  msg_max: number
  /** How long its messages may be, in bytes. */
  msgsize_max: number
  /** How many queues there can be. */
  queues_max: number
  /** What a queue is created with when nothing is said. */
  msg_default: number
  msgsize_default: number
  /** The highest priority. */
  priorityMax: number
  /** RLIMIT_MSGQUEUE: bytes that all queues of this user may cost, as `posixCost()` has it. */
  rlimit: { soft: number; hard: number }
  /** Where an mqueue file system is mounted; `null` where none is. `list()` needs it. */
  mount: string | null
}

export interface Limits {
  sysv: SysVLimits
  posix: PosixLimits
}

const posixNames = [
  'msg_max',
  'msgsize_max',
  'queues_max',
  'msg_default',
  'msgsize_default',
] as const
const sysvNames = ['msgmax', 'msgmnb', 'msgmni'] as const

/** What the system allows now, and what is in use. `/proc/sys`; msgctl(2), `MSG_INFO`; getrlimit(2). */
export function limits(): Limits {
  const posix = Object.fromEntries(
    posixNames.map((name) => [name, readLimit(`fs.mqueue.${name}`)]),
  ) as Record<(typeof posixNames)[number], number>
  return {
    sysv: {
      ...checked(native.sysv.limits()),
      used: checked(native.sysv.usage()),
    },
    posix: {
      ...posix,
      priorityMax: MAX_PRIORITY,
      rlimit: readMessageQueueLimit(),
      mount: mqueueMount(),
    },
  }
}

function checked<T>(result: T | number): T {
  if (typeof result === 'number') throw new QueueError(errnoName(-result), { syscall: 'msgctl' })
  return result
}

export interface NewLimits {
  sysv?: Partial<Record<(typeof sysvNames)[number], number>>
  posix?: Partial<Record<(typeof posixNames)[number], number>>
}

/**
 * Writes sysctls: System V's first, each kind's in the order given. `EACCES` or `EPERM` for others than
 * root, `EROFS` where `/proc/sys` is read-only, as in most containers.
 */
export function setLimits(wanted: NewLimits): void {
  const { sysv, posix } = checkOptions(wanted, ['sysv', 'posix'], 'limits')
  const writes = [
    ...sysctls('kernel', 'limits.sysv', checkOptions(sysv, sysvNames, 'limits.sysv')),
    ...sysctls('fs.mqueue', 'limits.posix', checkOptions(posix, posixNames, 'limits.posix')),
  ]
  for (const [sysctl, value] of writes) writeLimit(sysctl, value)
}

function sysctls(
  folder: string,
  argument: string,
  values: Record<string, number | undefined>,
): [string, number][] {
  return Object.entries(values).map(([name, value]) => [
    `${folder}.${name}`,
    checkInteger(`${argument}.${name}`, value, 0, 2 ** 31 - 1),
  ])
}

function writeLimit(sysctl: string, value: number): void {
  try {
    writeFileSync(sysctlPath(sysctl), String(value))
  } catch (cause) {
    const { code = 'EIO', syscall = 'write' } = cause as NodeJS.ErrnoException
    throw new QueueError(code, {
      syscall,
      message: `${sysctl} cannot be set to ${value}`,
      hint: refusalHint(code, sysctl, value),
      cause,
    })
  }
}

function refusalHint(code: string, sysctl: string, value: number): string {
  if (code === 'EINVAL') {
    return `the kernel does not take ${value} here; it is ${readLimit(sysctl)} now`
  }
  return code === 'EROFS'
    ? '/proc/sys is read-only here, as in most containers: set it where the container is started (docker run --sysctl)'
    : 'only root may write sysctls'
}

/** Where the mqueue file system is mounted; mq_overview(7). */
function mqueueMount(): string | null {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, folder, type] = line.split(' ')
    // Spaces and the like are octal there.
    if (type === 'mqueue' && folder !== undefined) {
      return folder.replace(/\\(\d{3})/g, (_, code) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      )
    }
  }
  return null
}

/**
 * Every queue on the system: System V by `MSG_STAT_ANY`; msgctl(2). POSIX queues where an mqueue file
 * system is mounted (`limits().posix.mount`); what of them may not be read is NaN.
 */
export function list(): QueueStats[] {
  const mount = mqueueMount()
  return [...listSysV(), ...(mount === null ? [] : listPosix(mount))]
}

function listPosix(mount: string): PosixStats[] {
  return readdirSync(mount).flatMap((name) => {
    try {
      return [describeFile(mount, name)]
    } catch (error) {
      // Removed since it was listed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })
}

function describeFile(mount: string, name: string): PosixStats {
  const path = join(mount, name)
  const file = statSync(path)
  const address = `/${name}`
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
    return describePosix(address, undefined, file, undefined)
  }
  try {
    const attributes = native.posix.attributes(fd)
    if (typeof attributes === 'number') {
      throw new QueueError(errnoName(-attributes), { syscall: 'mq_getattr', address })
    }
    return describePosix(address, attributes, file, readStatus(fd))
  } finally {
    closeSync(fd)
  }
}
