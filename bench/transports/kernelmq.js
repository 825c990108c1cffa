/** The library under test, in each way it can be used. */
import { open } from 'kernelmq'
import { byPipeline, byWrite, consume, frameOf, unframe } from './streams.js'

/** @typedef {import('../peer.js').Setup} Setup */

/**
 * Options: `send` 'write' | 'pipeline'; `bytes` (byte mode), in it `framed` and
 * `corked`; `highWaterMark`.
 *
 * @param {Setup} setup
 */
export async function sender({ size, addresses, options }) {
  const message = Buffer.alloc(size, 'x')
  const queue = open(addresses[0], { access: 'write' })
  const openWritable = () => queue.writable(streamOptions(options))
  if (options.send === 'pipeline') return byPipeline(openWritable, message)
  return byWrite(openWritable(), {
    chunk: options.framed ? () => frameOf(message) : () => message,
    corked: options.corked,
  })
}

/**
 * Options: `receive` a key of `consume` or 'consumer' (events); `bytes`, `framed`; `highWaterMark`.
 *
 * @param {Setup} setup
 * @param {(bytes: number) => void} onBytes
 */
export async function receiver({ addresses, options }, onBytes) {
  for (const address of addresses) {
    const queue = open(address, { access: 'read' })
    if (options.receive === 'consumer') {
      queue.consumer(streamOptions(options)).on('message', (frame) => onBytes(frame.data.length))
    } else if (options.bytes) {
      const onChunk = options.framed
        ? unframe((message) => onBytes(message.length))
        : (/** @type {Buffer} */ chunk) => onBytes(chunk.length)
      queue.readable(streamOptions(options)).on('data', onChunk)
    } else {
      consume[options.receive](queue.readable(streamOptions(options)), (frame) =>
        onBytes(frame.data.length),
      )
    }
  }
}

/** @param {Setup['options']} options */
function streamOptions({ bytes, highWaterMark }) {
  return {
    ...(bytes && { objectMode: false }),
    ...(highWaterMark !== undefined && { highWaterMark }),
  }
}

/** Options: `promises` for send() and receive(); else by streams. @param {Setup} setup */
export async function pinger({ size, addresses: [there, back], options }) {
  const message = Buffer.alloc(size, 'x')
  const out = open(there, { access: 'write' })
  const answers = open(back, { access: 'read' })
  if (options.promises) {
    return async () => {
      await out.send(message)
      await answers.receive()
    }
  }
  const writable = out.writable()
  let answered = () => {}
  answers.readable().on('data', () => answered())
  return () =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        answered = resolve
        writable.write(message)
      })
    )
}

/** @param {Setup} setup */
export async function echo({ addresses: [there, back], options }) {
  const incoming = open(there, { access: 'read' })
  const out = open(back, { access: 'write' })
  if (options.promises) {
    void (async () => {
      for (;;) await out.send((await incoming.receive()).data)
    })()
    return
  }
  const writable = out.writable()
  incoming.readable().on('data', (frame) => writable.write(frame.data))
}
