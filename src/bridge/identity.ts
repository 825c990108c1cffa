/** Which queue, and which process: told apart from all that have borne the same number before. */
import { readFileSync, readlinkSync } from 'node:fs'
import type { SysVQueue } from '../queues/sysv-queue.js'

/**
 * One life of one queue. Identifiers, and inodes of namespaces, are used again after a restart of the
 * machine or of a container; a queue created then has another time of change.
 */
export function queueIdentity(queue: SysVQueue): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const namespace = readlinkSync('/proc/self/ns/ipc')
  const changed = queue.stats().changeTime?.getTime() ?? 0
  return [boot, namespace, queue.id, queue.key, changed].join(' ')
}

/** When a process started, in ticks since boot; `undefined` where there is none of that number. */
export function processStart(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
  // The name, in parentheses, may hold anything; the state is the first field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}
