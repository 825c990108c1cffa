/** `kmq set` */
import type { Command } from 'commander'
import type { Configuration } from '../index.js'
import { UsageError } from './failure.js'
import { openFor } from './opening.js'
import { parseBytes, parseCount, parseMode } from './values.js'

export function define(command: Command): Command {
  return command
    .argument('<queue>', 'address of the queue')
    .option('--mode <octal>', 'permissions', parseMode)
    .option('--uid <n>', 'owner', parseCount)
    .option('--gid <n>', 'group', parseCount)
    .option('--max-bytes <bytes>', 'System V: how many bytes fit', parseBytes)
    .action(set)
}

async function set(
  address: string,
  { quiet: _, ...configuration }: Configuration & { quiet?: boolean },
): Promise<void> {
  if (Object.keys(configuration).length === 0) {
    throw new UsageError('nothing to set: give --mode, --uid, --gid or --max-bytes')
  }
  const queue = openFor('read', address)
  queue.configure(configuration)
  await queue.close()
}
