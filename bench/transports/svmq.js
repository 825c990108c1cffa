/** svmq: System V queues by libuv's thread pool. */
import svmq from 'svmq'

/** @typedef {import('../peer.js').Setup} Setup */

/** svmq reads permissions as hexadecimal digits. */
const PERMISSIONS = 0x600

/** @param {string} address */
const openQueue = (address) => svmq.open(Number(address.slice('sysv:'.length)) | 0, PERMISSIONS)

/** @param {any} queue @param {Buffer} message */
const pushed = (queue, message) =>
  /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      queue.push(message, (/** @type {Error | null} */ error) =>
        error ? reject(error) : resolve(),
      )
    })
  )

/** @param {Setup} setup */
export async function sender({ size, addresses }) {
  const message = Buffer.alloc(size, 'x')
  const queue = openQueue(addresses[0])
  // One at a time: pushes in parallel run on several threads and lose their order.
  return async (/** @type {number} */ count) => {
    for (let i = 0; i < count; i++) await pushed(queue, message)
  }
}

/** @param {Setup} setup @param {(bytes: number) => void} onBytes */
export async function receiver({ addresses }, onBytes) {
  openQueue(addresses[0]).on('data', (/** @type {Buffer} */ message) => onBytes(message.length))
}

/** @param {Setup} setup */
export async function pinger({ size, addresses: [there, back] }) {
  const message = Buffer.alloc(size, 'x')
  const out = openQueue(there)
  let answered = () => {}
  openQueue(back).on('data', () => answered())
  return async () => {
    const answer = new Promise((/** @type {(_: void) => void} */ resolve) => (answered = resolve))
    await Promise.all([pushed(out, message), answer])
  }
}

/** @param {Setup} setup */
export async function echo({ addresses: [there, back] }) {
  const out = openQueue(back)
  openQueue(there).on('data', (/** @type {Buffer} */ message) => void pushed(out, message))
}
