/** Who stands behind a process number, and who waits in a queue's system calls; proc(5). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

export interface Process {
  pid: number
  /** What it runs, short; null where that is not to be known. */
  command: string | null
  alive: boolean
}

export function findProcess(pid: number): Process {
  return { pid, command: commandOf(pid), alive: isAlive(pid) }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const interpreters = /^(node|bun|deno|python[\d.]*|ruby|perl|sh|bash|dash|zsh)$/

/** The program's name; of an interpreter, the script's. */
function commandOf(pid: number): string | null {
  const line = readProc(`/proc/${pid}/cmdline`)
  if (!line) return readProc(`/proc/${pid}/comm`)?.trim() ?? null
  const words = line.split('\0').filter((word) => word !== '')
  const program = basename(words[0] ?? '')
  const script = words.slice(1).find((word) => !word.startsWith('-'))
  return interpreters.test(program) && script ? `${program} ${basename(script)}` : program
}

/** A file of /proc; undefined where the process has gone, or is not ours to look at. */
function readProc(path: string): string | undefined {
  return orUndefined(() => readFileSync(path, 'utf8'))
}

const gone = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR']

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (gone.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** How many threads wait in a call to send to, or to receive from, a queue. */
export interface Blocked {
  senders: number
  receivers: number
}

/** Numbers of msgsnd, msgrcv, mq_timedsend, mq_timedreceive; syscalls(2). */
const calls: Partial<Record<NodeJS.Architecture, readonly [number, number, number, number]>> = {
  x64: [69, 70, 242, 243],
  arm64: [189, 188, 182, 183],
}

/**
 * All who wait, by `sysv:ID` or name of the queue. Only root sees those of others. Who waits for
 * readiness with poll(2), as kernelmq does on POSIX queues, is not in such a call.
 */
export function findBlocked(): Map<string, Blocked> {
  const blocked = new Map<string, Blocked>()
  const numbers = calls[process.arch]
  if (!numbers) return blocked
  const namespace = readLink('/proc/self/ns/ipc')
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const thread of orUndefined(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
      const [call, first] = (readProc(`/proc/${pid}/task/${thread}/syscall`) ?? '').split(' ')
      const index = numbers.indexOf(Number(call))
      if (index < 0 || call === '' || readLink(`/proc/${pid}/ns/ipc`) !== namespace) continue
      const posix = index >= 2
      const key = posix ? readLink(`/proc/${pid}/fd/${Number(first)}`) : `sysv:${Number(first)}`
      if (key === undefined) continue
      const counts = blocked.get(key) ?? { senders: 0, receivers: 0 }
      counts[index % 2 === 0 ? 'senders' : 'receivers']++
      blocked.set(key, counts)
    }
  }
  return blocked
}

function readLink(path: string): string | undefined {
  return orUndefined(() => readlinkSync(path))
}
