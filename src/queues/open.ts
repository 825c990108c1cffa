/** From an address to an open queue. */
import { fchmodSync, constants as fsConstants } from 'node:fs'
import {
  type Address,
  checkAddress,
  formatAddress,
  ftok,
  type IdAddress,
  type PosixAddress,
  type SysVAddress,
} from '../address.js'
import { native, type SysVStat } from '../binding/native.js'
import { posixOpenHint, sysvCreateHint, sysvMaxBytesHint } from '../drivers/hints.js'
import { PosixDriver } from '../drivers/posix-driver.js'
import { readLimit } from '../drivers/proc.js'
import { SysVDriver } from '../drivers/sysv-driver.js'
import { argumentError, errno, errnoName, QueueError } from '../errors.js'
import { checkBoolean, checkInteger, checkMode, checkOneOf, checkOptions } from '../options.js'
import { checkMaxBytes } from './configuration.js'
import { PosixQueue, unlinkPosix } from './posix-queue.js'
import { SysVQueue, sysvAddress } from './sysv-queue.js'

interface CommonOpenOptions {
  /** Create the queue if it is not there. Default `false`. */
  create?: boolean
  /** With `create`: `EEXIST` if it is there. Default `false`. */
  exclusive?: boolean
  /** Permissions of a queue created here, exactly: the umask does not apply. Default `0o600`. */
  mode?: number
  /** What the handle is for: asked of the kernel at open. Default `'read-write'`. */
  access?: Access
}

export type Access = 'read' | 'write' | 'read-write'

export interface PosixOpenOptions extends CommonOpenOptions {
  /** Of a queue created here: how many messages fit. Default: the system's (10). */
  maxMessages?: number
  /** Of a queue created here: the longest message, in bytes. Default: the system's (8192). */
  maxMessageSize?: number
}

export interface SysVOpenOptions extends CommonOpenOptions {
  /** Of a queue created here: how many bytes of data fit, 1 … 2³¹−1. Default: the system's (16384). */
  maxBytes?: number
}

export type OpenOptions = PosixOpenOptions | SysVOpenOptions

const common = ['create', 'exclusive', 'mode', 'access'] as const
const posixNames = [...common, 'maxMessages', 'maxMessageSize'] as const
const sysvNames = [...common, 'maxBytes'] as const

/**
 * Opens a queue, and with `create` makes it if need be. It is synchronous: a few microseconds of system
 * calls. mq_open(3), msgget(2).
 *
 * Throws `ENOENT`, `EEXIST`, `EACCES`, `EMFILE`, `ENOSPC`, `EINVAL` as a `QueueError`, with a hint where
 * a limit is the cause.
 */
export function open(address: `/${string}` | PosixAddress, options?: PosixOpenOptions): PosixQueue
export function open(address: number | SysVAddress, options?: SysVOpenOptions): SysVQueue
export function open(
  address: string | number | Address,
  options?: OpenOptions,
): PosixQueue | SysVQueue
export function open(
  address: string | number | Address,
  options?: OpenOptions,
): PosixQueue | SysVQueue {
  const checked = checkAddress(address)
  return 'name' in checked || 'fd' in checked
    ? openPosix(checked, options as PosixOpenOptions)
    : openSysV(checked, options as SysVOpenOptions)
}

interface Creation {
  create: boolean
  exclusive: boolean
  mode: number
  access: Access
}

function checkCreation(options: CommonOpenOptions): Creation {
  const { create = false, exclusive = false, mode = 0o600, access = 'read-write' } = options
  checkBoolean('options.create', create)
  if (checkBoolean('options.exclusive', exclusive) && !create) {
    const problem = 'has no meaning without create: true'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'options.exclusive', problem, exclusive)
  }
  checkMode('options.mode', mode)
  checkOneOf('options.access', access, ['read', 'write', 'read-write'] as const)
  return { create, exclusive, mode, access }
}

function checkSize(name: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : checkInteger(name, value, 1, Number.MAX_SAFE_INTEGER)
}

/**
 * Opens what is there or creates it, and tells which, for what is set on a queue of our own must not be
 * set on somebody else's. Others may create or remove it meanwhile: then once more.
 */
function openOrCreate(
  { create, exclusive }: Creation,
  openExisting: () => number,
  createNew: () => number,
): { result: number; created: boolean } {
  for (;;) {
    if (!exclusive) {
      const result = openExisting()
      if (!create || result !== -errno.ENOENT) return { result, created: false }
    }
    const result = createNew()
    if (exclusive || result !== -errno.EEXIST) return { result, created: true }
  }
}

const posixFlags = {
  read: fsConstants.O_RDONLY,
  write: fsConstants.O_WRONLY,
  'read-write': fsConstants.O_RDWR,
}

function openPosix(address: PosixAddress, options: PosixOpenOptions | undefined): PosixQueue {
  const given = checkOptions(options, posixNames)
  const creation = checkCreation(given)
  const maxMessages = checkSize('options.maxMessages', given.maxMessages)
  const maxMessageSize = checkSize('options.maxMessageSize', given.maxMessageSize)
  if ('fd' in address) return adoptPosix(address.fd, creation)
  const { name } = address
  const flags = posixFlags[creation.access]
  const wanted = maxMessages !== undefined || maxMessageSize !== undefined
  // What the kernel takes where neither is given.
  const usual = (name: string) =>
    Math.min(readLimit(`fs.mqueue.${name}_max`), readLimit(`fs.mqueue.${name}_default`))
  const wish = () => ({
    maxMessages: maxMessages ?? usual('msg'),
    maxMessageSize: maxMessageSize ?? usual('msgsize'),
  })
  const { result, created } = openOrCreate(
    creation,
    () => native.posix.open(name, flags, 0, 0, 0),
    () => {
      const size = wanted ? wish() : { maxMessages: 0, maxMessageSize: 0 }
      const create = flags | fsConstants.O_CREAT | fsConstants.O_EXCL
      return native.posix.open(name, create, creation.mode, size.maxMessages, size.maxMessageSize)
    },
  )
  if (result < 0) {
    const code = errnoName(-result)
    const hint = posixOpenHint(code, created ? wish : undefined)
    throw new QueueError(code, { syscall: 'mq_open', address: name, hint })
  }
  const queue = new PosixQueue(new PosixDriver(result, name, false), name)
  // The umask has narrowed it.
  if (created) fchmodSync(result, creation.mode)
  return queue
}

/** A descriptor from whoever started us. Its open description may be shared, so it is not changed. */
function adoptPosix(fd: number, { create, access }: Creation): PosixQueue {
  if (create) {
    const problem = 'has no meaning for a queue that is open already'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'options.create', problem, create)
  }
  const address = formatAddress({ fd })
  if (access !== 'read-write') {
    const problem = 'is that of the descriptor, and cannot be chosen'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'options.access', problem, access)
  }
  if (typeof native.posix.attributes(fd) === 'number') {
    throw new QueueError('EBADF', {
      syscall: 'mq_getattr',
      address,
      message: 'the descriptor is not an open POSIX queue',
    })
  }
  return new PosixQueue(new PosixDriver(fd, address, true), undefined)
}

/** From linux/ipc.h. */
const IPC_PRIVATE = 0
const IPC_CREAT = 0o1000
const IPC_EXCL = 0o2000

/** msgget(2) asks for the permissions that its flags carry. */
const sysvBits = { read: 0o400, write: 0o200, 'read-write': 0o600 }

function openSysV(address: SysVAddress, options: SysVOpenOptions | undefined): SysVQueue {
  const given = checkOptions(options, sysvNames)
  const creation = checkCreation(given)
  const maxBytes = checkMaxBytes('options.maxBytes', given.maxBytes)
  if ('id' in address) return openById(address, creation)
  const key =
    'key' in address
      ? address.key
      : 'private' in address
        ? IPC_PRIVATE
        : ftok(address.file, address.project)
  // To set maxBytes, what else there is to set is read first, which its owner may not be allowed to.
  const mode = maxBytes === undefined ? creation.mode : creation.mode | 0o400
  const createNew = () =>
    native.sysv.get(key, IPC_CREAT | (key === IPC_PRIVATE ? 0 : IPC_EXCL) | mode)
  const { result: id, created } =
    key === IPC_PRIVATE
      ? { result: createNew(), created: true }
      : openOrCreate(creation, () => native.sysv.get(key, sysvBits[creation.access]), createNew)
  if (id < 0) {
    const code = errnoName(-id)
    throw new QueueError(code, {
      syscall: 'msgget',
      address: formatAddress(address),
      hint: created ? sysvCreateHint(code) : undefined,
    })
  }
  const name = sysvAddress({ key, id })
  if (created && maxBytes !== undefined) setMaxBytes(id, name, maxBytes, creation.mode)
  return new SysVQueue(new SysVDriver(id, name, creation.access), key)
}

function setMaxBytes(id: number, address: string, maxBytes: number, mode: number): void {
  const failed = native.sysv.set(id, { maxBytes, mode })
  if (failed === 0) return
  native.sysv.remove(id)
  const code = errnoName(-failed)
  const hint = sysvMaxBytesHint(code, maxBytes)
  throw new QueueError(code, { syscall: 'msgctl', address, hint })
}

/** There is no call that opens an identifier, so what msgget(2) would check is checked here. */
function openById({ id }: IdAddress, { create, access }: Creation): SysVQueue {
  if (create) {
    const problem = 'has no meaning for an identifier, which the kernel chooses'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'options.create', problem, create)
  }
  const address = formatAddress({ id })
  const queues = native.sysv.list()
  const stat = typeof queues === 'number' ? undefined : queues.find((queue) => queue.id === id)
  if (!stat) throw new QueueError('ENOENT', { syscall: 'msgctl', address })
  if (!permits(stat, sysvBits[access]))
    throw new QueueError('EACCES', { syscall: 'msgctl', address })
  return new SysVQueue(new SysVDriver(id, address, access), stat.key)
}

/** ipcperms() of the kernel's ipc/util.c, but that root stands for CAP_IPC_OWNER. */
function permits({ mode, uid, gid, creatorUid, creatorGid }: SysVStat, wanted: number): boolean {
  const me = process.geteuid?.() ?? 0
  if (me === 0) return true
  const groups = [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])]
  const granted =
    me === uid || me === creatorUid
      ? mode
      : groups.includes(gid) || groups.includes(creatorGid)
        ? mode << 3
        : mode << 6
  return (granted & wanted) === wanted
}

/** Removes a queue from the system without opening it. mq_unlink(3); msgctl(2), `IPC_RMID`. */
export function unlink(address: string | number | Address): void {
  const checked = checkAddress(address)
  if ('name' in checked) {
    unlinkPosix(checked.name)
    return
  }
  if ('fd' in checked || 'private' in checked) {
    throw new QueueError('ENOTSUP', {
      address: formatAddress(checked),
      message: 'this address names no queue that could be removed',
    })
  }
  const name = formatAddress(checked)
  let id: number
  if ('id' in checked) {
    id = checked.id
  } else {
    const key = 'key' in checked ? checked.key : ftok(checked.file, checked.project)
    id = native.sysv.get(key, 0)
    if (id < 0) throw new QueueError(errnoName(-id), { syscall: 'msgget', address: name })
  }
  const failed = native.sysv.remove(id)
  if (failed < 0) {
    const gone = failed === -errno.EINVAL || failed === -errno.EIDRM
    const code = gone ? 'ENOENT' : errnoName(-failed)
    throw new QueueError(code, { syscall: 'msgctl', address: name })
  }
}
