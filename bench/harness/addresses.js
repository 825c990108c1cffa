/**
 * Creates the queues and socket paths that contestants meet at, and sees to
 * it that none outlives the run.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILD } from './paths.js'

/** @typedef {'posix' | 'sysv'} Kind */

/** @type {Set<string>} */
const queues = new Set()
/** Made when first needed. */
let socketDirectory = ''
let serial = 0

/** A key that no ftok(3) of a small project id and hardly anyone else uses. */
const KEY_BASE = 0x6d710000 + ((process.pid & 0xff) << 8)

/** @type {Record<Kind, (n: number) => string>} */
const nameOf = {
  posix: (n) => `/kernelmq-bench-${process.pid}-${n}`,
  sysv: (n) => `sysv:0x${(KEY_BASE + n).toString(16)}`,
}

/**
 * @param {Kind} kind
 * @param {number} count
 * @param {import('./limits.js').Shape} [shape]  of POSIX queues; the system's default if absent
 */
export function createQueues(kind, count, shape) {
  const addresses = Array.from({ length: count }, () => nameOf[kind](serial++))
  for (const address of addresses) queues.add(address)
  runQueue(['create', `${shape?.maxMessages ?? 0}`, `${shape?.maxMessageSize ?? 0}`, ...addresses])
  return addresses
}

/** @param {string[]} addresses */
export function removeQueues(addresses) {
  if (addresses.length === 0) return
  runQueue(['remove', ...addresses])
  for (const address of addresses) queues.delete(address)
}

/** @param {string[]} args */
function runQueue(args) {
  try {
    execFileSync(`${BUILD}queue`, args, { stdio: ['ignore', 'inherit', 'pipe'] })
  } catch (error) {
    const { stderr } = /** @type {{ stderr?: Buffer }} */ (error)
    throw new Error(`queue ${args[0]}: ${stderr?.toString().trim() || error}`)
  }
}

export function newSocketAddress() {
  socketDirectory ||= mkdtempSync(join(tmpdir(), 'kernelmq-bench-'))
  return `unix:${join(socketDirectory, String(serial++))}`
}

/** Removes everything made here: for the end of the run, whatever ends it. */
export function removeAll() {
  if (socketDirectory) rmSync(socketDirectory, { recursive: true, force: true })
  removeQueues([...queues])
}
