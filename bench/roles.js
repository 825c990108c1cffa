/**
 * The four roles a transport can play. A transport is a module with one
 * function for each role it knows:
 *
 *   sender(setup)             → async (count) => void: resolves once all are handed to the kernel, or accepted
 *   receiver(setup, onBytes)  calls onBytes(length) for each message, or chunk of a byte stream
 *   pinger(setup)             → async () => void: one round trip
 *   echo(setup)               sends back what comes
 */
import { startPhase } from './control.js'

/** @typedef {import('./peer.js').Setup} Setup */
/** @typedef {ReturnType<typeof import('./control.js').openControl>} Control */

/** @param {any} transport @param {Setup} setup @param {Control} control */
async function sender(transport, setup, control) {
  const send = await transport.sender(setup)
  control.emit('ready')
  for await (const count of control.runs()) {
    const stop = startPhase()
    await send(count)
    control.emit('done', stop())
  }
}

/** @param {any} transport @param {Setup} setup @param {Control} control */
async function receiver(transport, setup, control) {
  let left = Infinity
  let finish = () => {}
  await transport.receiver(setup, (/** @type {number} */ bytes) => {
    left -= bytes
    if (left <= 0) finish()
  })
  control.emit('ready')
  for await (const count of control.runs()) {
    left = count * setup.size
    const stop = startPhase()
    const result = new Promise((resolve) => {
      finish = () => {
        left = Infinity
        resolve(stop())
      }
    })
    control.emit('armed')
    control.emit('done', await result)
  }
}

/** @param {any} transport @param {Setup} setup @param {Control} control */
async function pinger(transport, setup, control) {
  const ping = await transport.pinger(setup)
  control.emit('ready')
  for await (const count of control.runs()) {
    const took = new Float64Array(count)
    const stop = startPhase()
    for (let i = 0; i < count; i++) {
      const start = process.hrtime.bigint()
      await ping()
      took[i] = Number(process.hrtime.bigint() - start)
    }
    control.emit('done', { ...stop(), roundTripNs: Array.from(took) })
  }
}

/** @param {any} transport @param {Setup} setup @param {Control} control */
async function echo(transport, setup, control) {
  await transport.echo(setup)
  control.emit('ready')
  for await (const _ of control.runs()) throw new Error('an echo is not run')
}

export const roles = { sender, receiver, pinger, echo }
