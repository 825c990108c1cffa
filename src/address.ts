/** What a user names a queue by, as an object or a string, and the System V key of a file. */
import { statSync } from 'node:fs'
import { argumentError, QueueError } from './errors.js'

/** A POSIX queue by name: a slash and up to 255 bytes without another one. */
export interface NameAddress {
  name: string
}
/** A POSIX queue by an inherited descriptor. */
export interface FdAddress {
  fd: number
}
/** A System V queue by key: 1 … 2³²−1, or the negative int32 form of the same. */
export interface KeyAddress {
  key: number
}
/** A System V queue by the key that ftok(3) makes of a file and a project. */
export interface FileAddress {
  file: string
  /** 1 … 255, or one ASCII character. */
  project: number | string
}
/** A System V queue that exists, by identifier. */
export interface IdAddress {
  id: number
}
/** A new System V queue without a key (`IPC_PRIVATE`). */
export interface PrivateAddress {
  private: true
}

export type PosixAddress = NameAddress | FdAddress
export type SysVAddress = KeyAddress | FileAddress | IdAddress | PrivateAddress
export type Address = PosixAddress | SysVAddress

const MAX_KEY = 2 ** 32 - 1
const MAX_NAME = 255

/** Reads the string form of an address: `/logs`, `0xDEADC0DE`, `sysv:/srv/app.conf#42`, … */
export function parseAddress(text: string): Address {
  if (typeof text !== 'string') {
    throw argumentError('ERR_INVALID_ARG_TYPE', 'address', 'must be a string', text)
  }
  return checkAddress(readAddress(text))
}

function readAddress(text: string): Address {
  if (text.startsWith('/')) return { name: text }
  if (isNumber(text)) return { key: Number(text) }
  const [, kind, rest = ''] = /^(posix|sysv):(.*)$/s.exec(text) ?? []
  if (kind === 'posix') {
    if (rest.startsWith('/')) return { name: rest }
    const fd = /^fd=(\d+)$/.exec(rest)
    if (fd) return { fd: Number(fd[1]) }
  }
  if (kind === 'sysv') {
    if (rest === 'private') return { private: true }
    if (isNumber(rest)) return { key: Number(rest) }
    const id = /^id=(\d+)$/.exec(rest)
    if (id) return { id: Number(id[1]) }
    const file = /^(.+)#([^#]+|#)$/s.exec(rest)
    if (file) return { file: file[1] as string, project: readProject(file[2] as string) }
  }
  throw argumentError(
    'ERR_INVALID_ARG_VALUE',
    'address',
    'must be like /name, posix:/name, posix:fd=3, 0xKEY, sysv:0xKEY, sysv:FILE#PROJECT, sysv:id=N or sysv:private',
    text,
  )
}

function isNumber(text: string): boolean {
  return /^(-?\d+|0x[0-9a-f]+)$/i.test(text)
}

function readProject(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}

/** The string form of an address. Keys are eight lower-case hex digits. */
export function formatAddress(address: string | number | Address): string {
  const checked = checkAddress(address)
  if ('name' in checked) return checked.name
  if ('fd' in checked) return `posix:fd=${checked.fd}`
  if ('key' in checked) return `sysv:0x${checked.key.toString(16).padStart(8, '0')}`
  if ('id' in checked) return `sysv:id=${checked.id}`
  if ('private' in checked) return 'sysv:private'
  const { project } = checked
  // In the string form digits are a number, so the character '7' is written as its code.
  const digit = typeof project === 'string' && /^\d$/.test(project)
  return `sysv:${checked.file}#${digit ? project.charCodeAt(0) : project}`
}

/** An address in any of its forms, checked; keys come out unsigned. */
export function checkAddress(address: string | number | Address): Address {
  if (typeof address === 'string') return parseAddress(address)
  if (typeof address === 'number') return { key: checkKey('address', address) }
  if (typeof address !== 'object' || address === null) {
    throw argumentError(
      'ERR_INVALID_ARG_TYPE',
      'address',
      'must be a string, a number or an object',
      address,
    )
  }
  const value = address as unknown as Record<string, unknown>
  // As of an option, undefined says that it is not given.
  const given = Object.keys(value).filter((key) => value[key] !== undefined)
  switch (given.sort().join(', ')) {
    case 'name':
      return { name: checkName(value.name) }
    case 'fd':
      return { fd: checkIdentifier('address.fd', value.fd) }
    case 'key':
      return { key: checkKey('address.key', value.key) }
    case 'id':
      return { id: checkIdentifier('address.id', value.id) }
    case 'file, project':
      return { file: checkFile(value.file), project: checkProject(value.project) }
    case 'private':
      if (value.private === true) return { private: true }
      throw argumentError('ERR_INVALID_ARG_VALUE', 'address.private', 'must be true', value.private)
  }
  throw argumentError(
    'ERR_INVALID_ARG_VALUE',
    'address',
    `must name one queue, by name, fd, key, file and project, id or private; it has ${given.join(', ') || 'nothing'}`,
    address,
  )
}

function checkName(name: unknown): string {
  if (typeof name !== 'string') {
    throw argumentError('ERR_INVALID_ARG_TYPE', 'address.name', 'must be a string', name)
  }
  const rest = name.slice(1)
  if (
    !name.startsWith('/') ||
    rest === '' ||
    rest === '.' ||
    rest === '..' ||
    /[/\0]/.test(rest) ||
    Buffer.byteLength(rest) > MAX_NAME
  ) {
    throw argumentError(
      'ERR_INVALID_ARG_VALUE',
      'address.name',
      `must be a slash and 1 to ${MAX_NAME} bytes without another slash or a NUL`,
      name,
    )
  }
  return name
}

function checkKey(name: string, key: unknown): number {
  if (typeof key !== 'number') {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a number', key)
  }
  if (!Number.isInteger(key) || key === 0 || key < -(2 ** 31) || key > MAX_KEY) {
    throw argumentError('ERR_OUT_OF_RANGE', name, 'must be a key from 1 to 2^32-1', key)
  }
  return key >>> 0
}

function checkIdentifier(name: string, value: unknown): number {
  if (typeof value !== 'number') {
    throw argumentError('ERR_INVALID_ARG_TYPE', name, 'must be a number', value)
  }
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 31 - 1) {
    throw argumentError('ERR_OUT_OF_RANGE', name, 'must be an integer from 0 to 2^31-1', value)
  }
  return value
}

function checkFile(file: unknown): string {
  if (typeof file !== 'string') {
    throw argumentError('ERR_INVALID_ARG_TYPE', 'address.file', 'must be a path', file)
  }
  if (file === '' || file.includes('\0')) {
    throw argumentError('ERR_INVALID_ARG_VALUE', 'address.file', 'must be a path', file)
  }
  return file
}

function checkProject(project: unknown): number | string {
  if (typeof project === 'string') {
    if (/^[\x01-\x7f]$/.test(project)) return project
    throw argumentError(
      'ERR_INVALID_ARG_VALUE',
      'address.project',
      'must be 1 to 255 or one ASCII character',
      project,
    )
  }
  if (typeof project !== 'number') {
    throw argumentError(
      'ERR_INVALID_ARG_TYPE',
      'address.project',
      'must be a number or one character',
      project,
    )
  }
  // ftok(3) uses eight bits: 0 has no meaning there, and 257 would be 1.
  if (!Number.isInteger(project) || project < 1 || project > 255) {
    throw argumentError('ERR_OUT_OF_RANGE', 'address.project', 'must be from 1 to 255', project)
  }
  return project
}

/**
 * The System V key of a file and a project, as ftok(3) makes it: a number from 1 to 2³²−1. A missing
 * file throws a `QueueError` of `stat`, with Node's own error as its `cause`. Keys are not unique: eight bits of the project and the device and
 * sixteen of the inode are all that they hold.
 */
export function ftok(file: string, project: number | string): number {
  checkFile(file)
  const checked = checkProject(project)
  const id = typeof checked === 'string' ? checked.charCodeAt(0) : checked
  const { dev, ino } = statFile(file, project)
  return ((id << 24) | (Number(dev & 0xffn) << 16) | Number(ino & 0xffffn)) >>> 0
}

function statFile(file: string, project: number | string) {
  try {
    return statSync(file, { bigint: true })
  } catch (cause) {
    const { code = 'EIO', syscall = 'stat' } = cause as NodeJS.ErrnoException
    const address = `sysv:${file}#${project}`
    const message = 'the file that the key is made of cannot be looked at'
    throw new QueueError(code, { syscall, address, message, cause })
  }
}
