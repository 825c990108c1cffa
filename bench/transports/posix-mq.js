/**
 * posix-mq: POSIX queues by system calls on the main thread.
 *
 * Polled with `setImmediate` and not, as its README shows, driven by its
 * 'messages' and 'drain' events: under load it loses those (its poll callback
 * notices that a queue ran empty or full only when the other event happens to
 * fire), and both sides then wait for ever. Polling costs it a whole core.
 */
import PosixMQ from 'posix-mq'

/** @typedef {import('../peer.js').Setup} Setup */

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** @param {string} name */
function openQueue(name) {
  const queue = new PosixMQ()
  queue.open({ name })
  return queue
}

/** @param {any} queue @param {(message: Buffer) => void} onMessage */
function onMessages(queue, onMessage) {
  const buffer = Buffer.alloc(queue.msgsize)
  const takeAll = () => {
    // shift() fills one buffer again and again: a message that is to be kept must be copied.
    for (let length = queue.shift(buffer); length !== false; length = queue.shift(buffer)) {
      onMessage(Buffer.from(buffer.subarray(0, length)))
    }
    setImmediate(takeAll)
  }
  takeAll()
}

/** @param {any} queue @param {Buffer} message */
async function pushed(queue, message) {
  while (queue.push(message) === false) await nextTurn()
}

/** @param {Setup} setup */
export async function sender({ size, addresses }) {
  const message = Buffer.alloc(size, 'x')
  const queue = openQueue(addresses[0])
  return async (/** @type {number} */ count) => {
    for (let i = 0; i < count; i++) {
      if (queue.push(message) === false) await pushed(queue, message)
    }
  }
}

/** @param {Setup} setup @param {(bytes: number) => void} onBytes */
export async function receiver({ addresses }, onBytes) {
  onMessages(openQueue(addresses[0]), (message) => onBytes(message.length))
}

/** @param {Setup} setup */
export async function pinger({ size, addresses: [there, back] }) {
  const message = Buffer.alloc(size, 'x')
  const out = openQueue(there)
  let answered = () => {}
  onMessages(openQueue(back), () => answered())
  return async () => {
    const answer = new Promise((/** @type {(_: void) => void} */ resolve) => (answered = resolve))
    await Promise.all([pushed(out, message), answer])
  }
}

/** @param {Setup} setup */
export async function echo({ addresses: [there, back] }) {
  const out = openQueue(back)
  onMessages(openQueue(there), (message) => void pushed(out, message))
}
