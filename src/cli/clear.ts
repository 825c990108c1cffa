/** `kmq clear` */
import type { Command } from 'commander'
import { note, plural } from './notes.js'
import { openFor } from './opening.js'

export function define(command: Command): Command {
  return command.argument('<queue>', 'address of the queue').action(clear)
}

async function clear(address: string, { quiet }: { quiet?: boolean }): Promise<void> {
  const queue = openFor('read', address)
  note(quiet, `${plural(queue.clear(), 'message')} discarded`)
  await queue.close()
}
