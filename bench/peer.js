/**
 * One measured Node.js process (or worker thread): plays one role of one
 * transport, driven over its control pipe.
 */
import { isMainThread, workerData } from 'node:worker_threads'
import { openControl } from './control.js'
import { roles } from './roles.js'

/**
 * @typedef {object} Setup
 * @property {string} transport  a file of transports/, without `.js`
 * @property {keyof roles} role
 * @property {number} size  bytes of one message, or of one write to a byte stream
 * @property {string[]} addresses  queues (`/name`, `sysv:0xKEY`) or sockets (`unix:/path`); for round trips: there, back
 * @property {Record<string, any>} options  what tells the transport's variants apart
 * @property {{ input: number, output: number }} control
 */

/** @type {Setup} */
const setup = isMainThread ? JSON.parse(process.argv[2]) : workerData
const control = openControl(setup.control)
const transport = await import(`./transports/${setup.transport}.js`)
await roles[setup.role](transport, setup, control)
