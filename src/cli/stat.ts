/** `kmq stat` */
import type { Command } from 'commander'
import type { QueueStats } from '../index.js'
import { describeQueue } from './format/queue.js'
import { formatFields } from './format/table.js'
import { openFor } from './opening.js'
import { print } from './output.js'

export function define(command: Command): Command {
  return command
    .argument('<queue...>', 'addresses of the queues')
    .option('--json', 'print an array with an object for each queue')
    .action(stat)
}

async function stat(addresses: string[], { json }: { json?: boolean }): Promise<void> {
  const queues = await Promise.all(addresses.map(statOne))
  if (json) await print(`${JSON.stringify(queues)}\n`)
  else await print(queues.map((queue) => formatFields(describeQueue(queue))).join('\n'))
}

async function statOne(address: string): Promise<QueueStats> {
  const queue = openFor('read', address)
  const stats = queue.stats()
  await queue.close()
  return stats
}
