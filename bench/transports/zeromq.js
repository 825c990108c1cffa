/** zeromq over ipc://: PUSH to PULL one way, a PAIR for round trips. */
import { Pair, Pull, Push } from 'zeromq'

/** @typedef {import('../peer.js').Setup} Setup */

const endpointOf = (/** @type {string} */ address) => address.replace('unix:', 'ipc://')

/** @param {Setup} setup */
export async function sender({ size, addresses }) {
  const message = Buffer.alloc(size, 'x')
  const push = new Push()
  push.connect(endpointOf(addresses[0]))
  // zeromq.js allows one send in progress: awaiting each is the way to use it.
  return async (/** @type {number} */ count) => {
    for (let i = 0; i < count; i++) await push.send(message)
  }
}

/** @param {Setup} setup @param {(bytes: number) => void} onBytes */
export async function receiver({ addresses }, onBytes) {
  const pull = new Pull()
  await pull.bind(endpointOf(addresses[0]))
  void (async () => {
    for await (const [message] of pull) onBytes(message.length)
  })()
}

/** @param {Setup} setup */
export async function pinger({ size, addresses }) {
  const message = Buffer.alloc(size, 'x')
  const pair = new Pair()
  pair.connect(endpointOf(addresses[0]))
  return async () => {
    await pair.send(message)
    await pair.receive()
  }
}

/** @param {Setup} setup */
export async function echo({ addresses }) {
  const pair = new Pair()
  await pair.bind(endpointOf(addresses[0]))
  void (async () => {
    for await (const [message] of pair) await pair.send(message)
  })()
}
