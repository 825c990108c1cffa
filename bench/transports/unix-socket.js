/** A Unix stream socket of node:net: framed (messages) or raw (bytes), corked or not. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { byWrite, frameOf, unframe } from './streams.js'

/** @typedef {import('../peer.js').Setup} Setup */

const pathOf = (/** @type {string} */ address) => address.slice('unix:'.length)

/** @param {string} address */
async function connected(address) {
  const socket = connect(pathOf(address))
  await once(socket, 'connect')
  return socket
}

/** @param {string} address @param {(socket: import('node:net').Socket) => void} onConnection */
async function listening(address, onConnection) {
  const server = createServer(onConnection).listen(pathOf(address))
  await once(server, 'listening')
}

/** @param {Setup} setup */
export async function sender({ size, addresses, options }) {
  const message = Buffer.alloc(size, 'x')
  const socket = await connected(addresses[0])
  return byWrite(socket, {
    chunk: options.framed ? () => frameOf(message) : () => message,
    corked: options.corked,
  })
}

/** @param {Setup} setup @param {(bytes: number) => void} onBytes */
export async function receiver({ addresses, options }, onBytes) {
  await listening(addresses[0], (socket) => {
    socket.on(
      'data',
      options.framed
        ? unframe((message) => onBytes(message.length))
        : (chunk) => onBytes(chunk.length),
    )
  })
}

/** @param {Setup} setup */
export async function pinger({ size, addresses }) {
  const message = Buffer.alloc(size, 'x')
  const socket = await connected(addresses[0])
  let answered = () => {}
  socket.on(
    'data',
    unframe(() => answered()),
  )
  return () =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        answered = resolve
        socket.write(frameOf(message))
      })
    )
}

/** @param {Setup} setup */
export async function echo({ addresses }) {
  await listening(addresses[0], (socket) => {
    socket.on(
      'data',
      unframe((message) => socket.write(frameOf(message))),
    )
  })
}
