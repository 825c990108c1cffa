/** Which queue, and which process: told apart from all that have borne the same number before. */
import { readFileSync, readlinkSync } from 'node:fs'
import type { SysVQueue } from '../queues/sysv-queue.js'
import { BridgeError } from './errors.js'

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

/** `PID START`, for a file that belongs to this process. */
export function thisProcess(): string {
  return `${process.pid} ${processStart(process.pid)}`
}

/** Throws where the process that wrote a file lives, and is another one. */
export function assertUnused(file: string, writer: string): void {
  const [pid = '', started] = writer.split(' ')
  if (Number(pid) === process.pid || !started || processStart(Number(pid)) !== started) return
  throw new BridgeError('ERR_JOURNAL_BUSY', `process ${pid} uses ${file}`, {
    hint: 'one bridge for a queue and a stream; another one needs a file of its own',
  })
}

/** When a process started, in ticks since boot; `undefined` where there is none of that number. */
function processStart(pid: number): string | undefined {
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
