/** What the system says of a queue, in words. */
import prettyBytes from 'pretty-bytes'
import type { QueueStats, SysVStats } from '../../index.js'
import { nameOfGroup, nameOfUser } from '../system/accounts.js'
import { escapeLine } from './escape.js'

/** 1,024 bytes are 1 kiB; what may not be read is a question mark. */
export function formatBytes(bytes: number): string {
  return Number.isNaN(bytes) ? '?' : prettyBytes(bytes, { binary: true })
}

export function formatNumber(number: number): string {
  return Number.isNaN(number) ? '?' : String(number)
}

export function formatMode(mode: number): string {
  return mode.toString(8).padStart(3, '0')
}

export function formatOwner({ uid }: { uid: number }): string {
  return escapeLine(nameOfUser(uid) ?? String(uid))
}

/** How full a queue is: 0 to 1. System V counts bytes and, against the same limit, messages. */
export function fillOf(queue: QueueStats): number {
  return queue.kind === 'posix'
    ? queue.messages / queue.maxMessages
    : Math.max(queue.bytes, queue.messages) / queue.maxBytes
}

export function formatFill(queue: QueueStats): string {
  const fill = fillOf(queue)
  return Number.isNaN(fill) ? '?' : `${Math.round(fill * 100)}%`
}

/** All of it, as names and values. */
export function describeQueue(queue: QueueStats): [string, string][] {
  const { uid, gid, mode } = queue
  return [
    ['queue', escapeLine(queue.address)],
    ['kind', queue.kind === 'posix' ? 'POSIX' : 'System V'],
    ...(queue.kind === 'sysv' ? describeKey(queue) : []),
    ['messages', `${formatNumber(queue.messages)}${capacityInMessages(queue)}`],
    ['bytes', `${formatNumber(queue.bytes)}${capacityInBytes(queue)}`],
    ['fill', formatFill(queue)],
    ['longest message', `${formatNumber(queue.maxMessageSize)} bytes`],
    ['mode', formatMode(mode)],
    ['owner', `${account(uid, nameOfUser)}, group ${account(gid, nameOfGroup)}`],
    ...(queue.kind === 'sysv' ? describeUse(queue) : describeNotification(queue)),
  ]
}

function account(id: number, nameOf: (id: number) => string | undefined): string {
  const name = nameOf(id)
  return name === undefined ? String(id) : `${escapeLine(name)} (${id})`
}

function capacityInMessages(queue: QueueStats): string {
  return queue.kind === 'posix' ? ` of ${formatNumber(queue.maxMessages)}` : ''
}

function capacityInBytes(queue: QueueStats): string {
  return queue.kind === 'sysv' ? ` of ${queue.maxBytes}` : ''
}

function describeKey({ id, key }: SysVStats): [string, string][] {
  return [
    ['id', String(id)],
    ['key', key === 0 ? 'none (private)' : `0x${key.toString(16).padStart(8, '0')}`],
  ]
}

function describeUse(queue: SysVStats): [string, string][] {
  const { creatorUid, creatorGid, lastSendPid, lastReceivePid } = queue
  return [
    ['creator', `${account(creatorUid, nameOfUser)}, group ${account(creatorGid, nameOfGroup)}`],
    ['last sent', lastUse(lastSendPid, queue.lastSendTime)],
    ['last received', lastUse(lastReceivePid, queue.lastReceiveTime)],
    ['last changed', queue.changeTime?.toISOString() ?? 'never'],
  ]
}

function lastUse(pid: number, time: Date | null): string {
  return time === null ? 'never' : `${time.toISOString()} by process ${pid}`
}

function describeNotification(queue: QueueStats & { kind: 'posix' }): [string, string][] {
  const { notifyPid, notifyMethod, notifySignal } = queue
  const how = notifySignal === null ? notifyMethod : `signal ${notifySignal}`
  return [['notifies', notifyPid === null ? 'nobody' : `process ${notifyPid} (${how})`]]
}
