/** `kmq rm` */
import type { Command } from 'commander'
import { unlink } from '../index.js'
import { Reported, report } from './failure.js'
import { parseShared } from './opening.js'

export function define(command: Command): Command {
  return command.argument('<queue...>', 'addresses of the queues').action(remove)
}

/** As rm(1): what can be removed is removed, whatever else fails. Of a mistyped line nothing is. */
function remove(addresses: string[]): void {
  addresses.forEach(parseShared)
  const failed = addresses.filter((address) => !removeOne(address, addresses.length === 1))
  if (failed.length > 0) throw new Reported()
}

function removeOne(address: string, only: boolean): boolean {
  try {
    unlink(address)
    return true
  } catch (error) {
    if (only) throw error
    report(error)
    return false
  }
}
