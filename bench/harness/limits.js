/**
 * The system's limits for queues, as found ("default") and raised. Raising
 * needs a private IPC namespace. RLIMIT_MSGQUEUE cannot be raised without
 * CAP_SYS_RESOURCE, so shapes of POSIX queues are chosen to fit it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { isPrivate } from './namespace.js'

/** @typedef {'default' | 'raised'} Level */
/** @typedef {{ maxMessages: number, maxMessageSize: number }} Shape */

/** Of one message, raised: what a socket moves per system call. */
export const LARGEST_MESSAGE = 64 * 1024
/** What a queue takes in one message at default limits. */
const DEFAULT_MESSAGE = 8192

/** The longest message. @param {Level} atLevel */
export const longestMessage = (atLevel) =>
  atLevel === 'raised' ? LARGEST_MESSAGE : DEFAULT_MESSAGE

const RAISED = {
  '/proc/sys/kernel/msgmnb': 1024 * 1024,
  '/proc/sys/kernel/msgmax': LARGEST_MESSAGE,
  '/proc/sys/fs/mqueue/msg_max': 4096,
  '/proc/sys/fs/mqueue/msgsize_max': LARGEST_MESSAGE,
  '/proc/sys/fs/mqueue/queues_max': 4096,
}

/**
 * The part of RLIMIT_MSGQUEUE that is planned with: it counts every queue of
 * the user, those of other programs too.
 */
const SHARE = 0.75

/** What the kernel charges for one message's place besides its bytes. */
const POSIX_OVERHEAD = 96

/** Values before the first change. @type {Map<string, string>} */
const found = new Map()

/** @type {Level} */
let level = 'default'

export const canRaise = () => isPrivate()

/** @param {Level} wanted */
export function setLevel(wanted) {
  if (wanted === level) return
  for (const [file, value] of Object.entries(RAISED)) {
    if (!found.has(file)) found.set(file, readFileSync(file, 'utf8').trim())
    writeFileSync(
      file,
      wanted === 'raised' ? String(value) : /** @type {string} */ (found.get(file)),
    )
  }
  level = wanted
}

/**
 * The deepest POSIX queue of that message size that fits the raised limits when
 * `queues` of them exist at once; undefined for the system's default shape.
 *
 * @param {Level} atLevel
 * @param {number} size
 * @param {number} queues
 * @returns {Shape | undefined}
 */
export function posixShape(atLevel, size, queues) {
  if (atLevel === 'default') return undefined
  const fits = Math.floor((rlimitMsgqueue() * SHARE) / queues / (size + POSIX_OVERHEAD))
  return {
    maxMessages: Math.min(fits, RAISED['/proc/sys/fs/mqueue/msg_max']),
    maxMessageSize: size,
  }
}

/** In bytes. */
export function rlimitMsgqueue() {
  const [, soft] =
    /^Max msgqueue size\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === 'unlimited' ? Infinity : Number(soft)
}

/** Of every limit, for the record. */
export function readLimits() {
  const values = Object.keys(RAISED).map((file) => [
    file.replace('/proc/sys/', ''),
    Number(readFileSync(file, 'utf8')),
  ])
  return { ...Object.fromEntries(values), rlimitMsgqueue: rlimitMsgqueue() }
}
