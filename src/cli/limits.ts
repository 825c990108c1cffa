/** `kmq limits`, `kmq limits set`, `kmq limits plan` */
import type { Command } from 'commander'
import { type Limits, limits, type NewLimits, setLimits } from '../index.js'
import { Option } from './commander.js'
import { UsageError } from './failure.js'
import { formatPlan } from './format/plan.js'
import { formatBytes } from './format/queue.js'
import { formatTable } from './format/table.js'
import { note } from './notes.js'
import { print } from './output.js'
import { type Kind, planFor } from './plan.js'
import { parseBytes, parsePositive } from './values.js'

export function define(command: Command): Command {
  command.enablePositionalOptions().option('--json', 'print an object of them').action(show)
  command
    .command('set')
    .description('write sysctls, as root')
    .argument('<name=value...>', 'like msgmnb=65536 or fs.mqueue.msg_max=100')
    .action(set)
  command
    .command('plan')
    .description('which limits a queue needs, and the lines to paste')
    .requiredOption('--messages <n>', 'how many messages it is to hold', parsePositive)
    .requiredOption('--size <bytes>', 'how long each may be', parseBytes)
    .addOption(
      new Option('--kind <kind>', 'of which kind')
        .choices(['posix', 'sysv', 'both'])
        .default('both'),
    )
    .option('--queues <n>', 'POSIX: how many such queues of one user', parsePositive, 1)
    .option('--json', 'print an array with an object for each kind')
    .action(plan)
  return command
}

async function show({ json }: { json?: boolean }): Promise<void> {
  const now = limits()
  await print(json ? `${JSON.stringify(now)}\n` : formatLimits(now))
}

function formatLimits({ sysv, posix }: Limits): string {
  const { used } = sysv
  const { rlimit, mount } = posix
  const rows = [
    ['kernel.msgmax', bytes(sysv.msgmax), 'System V: longest message'],
    ['kernel.msgmnb', bytes(sysv.msgmnb), 'System V: capacity of a new queue'],
    ['kernel.msgmni', String(sysv.msgmni), `System V: queues; ${used.queues} in use`],
    ['', '', `System V: ${used.messages} messages, ${formatBytes(used.bytes)} queued`],
    ['fs.mqueue.msg_max', String(posix.msg_max), 'POSIX: messages that a queue may hold'],
    ['fs.mqueue.msgsize_max', bytes(posix.msgsize_max), 'POSIX: longest message'],
    ['fs.mqueue.queues_max', String(posix.queues_max), 'POSIX: queues'],
    ['fs.mqueue.msg_default', String(posix.msg_default), 'POSIX: messages, if not said'],
    ['fs.mqueue.msgsize_default', bytes(posix.msgsize_default), 'POSIX: their length, if not said'],
    ['RLIMIT_MSGQUEUE', soft(rlimit.soft), 'POSIX: what all queues of a user may cost'],
    ['  hard', soft(rlimit.hard), 'POSIX: how far the user may raise that'],
    ['mounted at', mount ?? 'nowhere', 'POSIX: where queues can be listed'],
  ]
  const columns = [{ title: 'LIMIT' }, { title: 'NOW', align: 'right' as const }, { title: 'OF' }]
  return formatTable(columns, rows)
}

function bytes(number: number): string {
  return `${number} B`
}

function soft(number: number): string {
  return Number.isFinite(number) ? bytes(number) : 'unlimited'
}

const names = {
  sysv: ['msgmax', 'msgmnb', 'msgmni'],
  posix: ['msg_max', 'msgsize_max', 'queues_max', 'msg_default', 'msgsize_default'],
} as const

function set(assignments: string[], { quiet }: { quiet?: boolean }): void {
  const wanted: NewLimits = {}
  for (const assignment of assignments) {
    const [, name = '', value] = /^([\w.]+)=(\d+)$/.exec(assignment) ?? []
    const short = name.replace(/^(kernel|fs\.mqueue)\./, '')
    const kind = kindOf(short)
    if (!kind) {
      throw new UsageError(
        `"${assignment}" is not NAME=NUMBER: names are ${[...names.sysv, ...names.posix].join(', ')}`,
      )
    }
    wanted[kind] = { ...wanted[kind], [short]: Number(value) }
  }
  setLimits(wanted)
  note(quiet, 'set until the next boot; kmq limits plan says how to keep it')
}

function kindOf(name: string): 'sysv' | 'posix' | undefined {
  if ((names.sysv as readonly string[]).includes(name)) return 'sysv'
  if ((names.posix as readonly string[]).includes(name)) return 'posix'
  return undefined
}

interface PlanOptions {
  messages: number
  size: number
  kind: Kind | 'both'
  queues: number
  json?: boolean
}

async function plan({ messages, size, kind, queues, json }: PlanOptions): Promise<void> {
  const kinds: Kind[] = kind === 'both' ? ['posix', 'sysv'] : [kind]
  const now = limits()
  const plans = kinds.map((each) => planFor(each, { messages, size, queues }, now))
  await print(json ? `${JSON.stringify(plans)}\n` : plans.map(formatPlan).join('\n'))
}
