/** `kmq create` */
import type { Command } from 'commander'
import { type OpenOptions, open } from '../index.js'
import { print } from './output.js'
import { parseBytes, parseMode, parsePositive } from './values.js'

interface Options {
  mode?: number
  exclusive?: boolean
  maxMessages?: number
  maxMessageSize?: number
  maxBytes?: number
  quiet?: boolean
}

export function define(command: Command): Command {
  return command
    .argument('<queue>', 'address of the queue')
    .option('--mode <octal>', 'permissions of a new queue (default: 600)', parseMode)
    .option('--exclusive', 'fail if the queue exists')
    .option('--max-messages <n>', 'POSIX: how many messages fit', parsePositive)
    .option('--max-message-size <bytes>', 'POSIX: how long a message may be', parseBytes)
    .option('--max-bytes <bytes>', 'System V: how many bytes fit', parseBytes)
    .action(create)
}

async function create(address: string, { quiet: _, ...options }: Options): Promise<void> {
  const queue = open(address, { create: true, ...options } as OpenOptions)
  await print(`${queue.address}\n`)
  await queue.close()
}
