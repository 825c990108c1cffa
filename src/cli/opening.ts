/** Opening a queue for no more than a command needs. */
import { type Access, type MessageQueue, open, parseAddress, QueueError } from '../index.js'

export function openFor(access: Access, address: string, options: { create?: boolean } = {}) {
  const parsed = parseAddress(address)
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
