/** Opening a queue for no more than a command needs. */
import {
  type Access,
  type Address,
  type MessageQueue,
  open,
  parseAddress,
  QueueError,
} from '../index.js'
import { UsageError } from './failure.js'

/** The address of a queue that others know too. */
export function parseShared(address: string): Address {
  const parsed = parseAddress(address)
  if ('private' in parsed) throw new UsageError(`${address} is a new queue: kmq create makes one`)
  return parsed
}

export function openFor(access: Access, address: string, options: { create?: boolean } = {}) {
  const parsed = parseShared(address)
  // An inherited descriptor is open already, for whatever it was opened for.
  return 'fd' in parsed ? open(parsed, options) : open(parsed, { ...options, access })
}

/** For reading, and for putting messages back where that is permitted. */
export function openForReceiving(address: string, options: { create?: boolean }): MessageQueue {
  try {
    return openFor('read-write', address, options)
  } catch (error) {
    if (!(error instanceof QueueError && error.code === 'EACCES')) throw error
    return openFor('read', address, options)
  }
}
