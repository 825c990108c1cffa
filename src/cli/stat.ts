/** `kmq stat` */
import type { Command } from 'commander'
import type { QueueStats } from '../index.js'
import { Reported, report } from './failure.js'
import { describeQueue } from './format/queue.js'
import { formatFields } from './format/table.js'
import { openFor, parseShared } from './opening.js'
import { print } from './output.js'

export function define(command: Command): Command {
  return command
    .argument('<queue...>', 'addresses of the queues')
    .option('--json', 'print an array with an object for each queue')
    .action(stat)
}

/** What can be shown is shown, whatever else fails. */
async function stat(addresses: string[], { json }: { json?: boolean }): Promise<void> {
  addresses.forEach(parseShared)
  const queues: QueueStats[] = []
  for (const address of addresses) {
    try {
      queues.push(await statOne(address))
    } catch (error) {
      if (addresses.length === 1) throw error
      report(error)
    }
  }
  if (json) await print(`${JSON.stringify(queues)}\n`)
  else await print(queues.map((queue) => formatFields(describeQueue(queue))).join('\n'))
  if (queues.length < addresses.length) throw new Reported()
}

async function statOne(address: string): Promise<QueueStats> {
  const queue = openFor('read', address)
  const stats = queue.stats()
  await queue.close()
  return stats
}
