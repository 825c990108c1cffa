/**
 * A worker_threads MessagePort: two threads of one process, the only contestant
 * that is not two processes. Figures of CPU and memory are those of both sides.
 */
import { once } from 'node:events'
import { parentPort, Worker } from 'node:worker_threads'

/** @typedef {import('../peer.js').Setup} Setup */

/** A port has no backpressure: at most this many messages are sent ahead of the receiver. */
const WINDOW = 4096

/** @param {Setup} setup @param {Setup['role']} role */
function startWorker(setup, role) {
  return new Worker(new URL('../peer.js', import.meta.url), {
    workerData: { ...setup, role, control: setup.options.hostedControl },
  })
}

/** Memory of its own: posting a pooled Buffer would clone the whole pool. @param {Setup} setup */
const messageOf = ({ size }) => new Uint8Array(size)

/** @param {Setup} setup */
export async function sender(setup) {
  const message = messageOf(setup)
  const worker = startWorker(setup, 'receiver')
  await once(worker, 'online')
  let credit = WINDOW
  let credited = () => {}
  worker.on('message', (/** @type {number} */ received) => {
    credit += received
    credited()
  })
  return async (/** @type {number} */ count) => {
    for (let left = count; left > 0; left--) {
      if (credit === 0)
        await new Promise((/** @type {(_: void) => void} */ resolve) => (credited = resolve))
      credit--
      worker.postMessage(message)
    }
  }
}

/** @param {Setup} _setup @param {(bytes: number) => void} onBytes */
export async function receiver(_setup, onBytes) {
  let uncredited = 0
  parentPort?.on('message', (/** @type {Uint8Array} */ message) => {
    if (++uncredited === WINDOW / 4) {
      parentPort?.postMessage(uncredited)
      uncredited = 0
    }
    onBytes(message.length)
  })
}

/** @param {Setup} setup */
export async function pinger(setup) {
  const message = messageOf(setup)
  const worker = startWorker(setup, 'echo')
  await once(worker, 'online')
  let answered = () => {}
  worker.on('message', () => answered())
  return () =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        answered = resolve
        worker.postMessage(message)
      })
    )
}

export async function echo() {
  parentPort?.on('message', (message) => parentPort?.postMessage(message))
}
