/** `kmq ls` */
import type { Command } from 'commander'
import { limits, list, type QueueStats } from '../index.js'
import { escapeLine } from './format/escape.js'
import { formatBytes, formatFill, formatMode, formatNumber, formatOwner } from './format/queue.js'
import { type Column, formatTable } from './format/table.js'
import { note } from './notes.js'
import { print } from './output.js'

interface Options {
  json?: boolean
  addresses?: boolean
  quiet?: boolean
}

export function define(command: Command): Command {
  return command
    .option('--json', 'print an array of all that the system says of each')
    .option('--addresses', 'print the addresses alone, one a line')
    .action(listQueues)
}

const columns: Column[] = [
  { title: 'QUEUE' },
  { title: 'MESSAGES', align: 'right' },
  { title: 'BYTES', align: 'right' },
  { title: 'FILL', align: 'right' },
  { title: 'OWNER' },
  { title: 'MODE' },
  { title: 'SENT BY', align: 'right' },
  { title: 'RECEIVED BY', align: 'right' },
]

async function listQueues({ json, addresses, quiet }: Options): Promise<void> {
  const queues = list()
  if (limits().posix.mount === null) {
    note(
      quiet,
      'POSIX queues are not listed: no mqueue file system is mounted (mount -t mqueue none /dev/mqueue)',
    )
  }
  if (json) await print(`${JSON.stringify(queues)}\n`)
  else if (addresses) await print(queues.map(({ address }) => `${escapeLine(address)}\n`).join(''))
  else await print(formatTable(columns, queues.map(rowOf)))
}

function rowOf(queue: QueueStats): string[] {
  const { address, messages, bytes, mode } = queue
  const [sender, receiver] =
    queue.kind === 'sysv' ? [queue.lastSendPid, queue.lastReceivePid] : [0, 0]
  return [
    escapeLine(address),
    formatNumber(messages),
    formatBytes(bytes),
    formatFill(queue),
    formatOwner(queue),
    formatMode(mode),
    pid(sender),
    pid(receiver),
  ]
}

function pid(number: number): string {
  return number === 0 ? '-' : String(number)
}
