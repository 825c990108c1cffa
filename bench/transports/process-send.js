/**
 * `process.send` between a parent and the child it forked, with 'json' or
 * 'advanced' serialization. The one that drives hosts the other.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** @typedef {import('../peer.js').Setup} Setup */

const PEER = fileURLToPath(new URL('../peer.js', import.meta.url))

/**
 * Forks the other side and gives it the control pipe that run.js has opened for it.
 *
 * @param {Setup} setup
 * @param {Setup['role']} role
 */
function forkPeer(setup, role) {
  const { input, output } = setup.options.hostedControl
  const theirs = { ...setup, role, control: { input: 0, output: 1 } }
  return fork(PEER, [JSON.stringify(theirs)], {
    serialization: setup.options.serialization,
    stdio: [input, output, 'inherit', 'ipc'],
  })
}

/** What suits the serialization: JSON has no bytes, so a string there. @param {Setup} setup */
const messageOf = ({ size, options }) =>
  options.serialization === 'json' ? 'x'.repeat(size) : new Uint8Array(size)

/** @param {Setup} setup */
export async function sender(setup) {
  const message = messageOf(setup)
  const child = forkPeer(setup, 'receiver')
  await once(child, 'spawn')
  return (/** @type {number} */ count) =>
    new Promise((/** @type {(_: void) => void} */ resolve) => {
      let left = count
      const more = () => {
        while (left > 1) {
          left--
          // A false tells of a backlog; the callback comes when this message has left it.
          let behind = false
          const sent = child.send(message, () => behind && more())
          behind = !sent
          if (behind) return
        }
        left = 0
        child.send(message, () => resolve())
      }
      more()
    })
}

/** @param {Setup} _setup @param {(bytes: number) => void} onBytes */
export async function receiver(_setup, onBytes) {
  process.on('message', (/** @type {{ length: number }} */ message) => onBytes(message.length))
}

/** @param {Setup} setup */
export async function pinger(setup) {
  const message = messageOf(setup)
  const child = forkPeer(setup, 'echo')
  await once(child, 'spawn')
  let answered = () => {}
  child.on('message', () => answered())
  return () =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        answered = resolve
        child.send(message)
      })
    )
}

export async function echo() {
  process.on('message', (message) => process.send?.(message))
}
