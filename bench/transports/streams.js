/**
 * Writing to and reading from a stream as a careful user would, the same code
 * for every transport that is a stream, so that only the transports differ.
 */
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

const FRAME_HEADER = 4

/** Writes between cork and uncork: some 16 KiB of 64-byte frames, a socket's highWaterMark. */
const CORKED_WRITES = 256

/**
 * Sends by `write()`, waiting for 'drain' whenever it returns false. Resolves
 * when the last write is through.
 *
 * @param {Writable} writable
 * @param {{ chunk: () => unknown, corked?: boolean }} options
 * @returns {(count: number) => Promise<void>}
 */
export function byWrite(writable, { chunk, corked = false }) {
  return (count) =>
    new Promise((resolve) => {
      let left = count
      const more = () => {
        while (left > 0) {
          const batch = corked ? Math.min(left, CORKED_WRITES) : 1
          if (corked) writable.cork()
          let room = true
          for (let i = 0; i < batch; i++) {
            left--
            room = left > 0 ? writable.write(chunk()) : writable.write(chunk(), () => resolve())
          }
          if (corked) writable.uncork()
          if (left > 0 && (corked ? writable.writableNeedDrain : !room)) {
            writable.once('drain', more)
            return
          }
        }
      }
      more()
    })
}

/**
 * Sends by `pipeline(source, writable)`, a new writable each time since the
 * pipeline ends it.
 *
 * @param {() => Writable} openWritable
 * @param {Buffer} message
 * @returns {(count: number) => Promise<void>}
 */
export function byPipeline(openWritable, message) {
  return (count) => pipeline(repeat(message, count), openWritable())
}

/** @param {Buffer} message @param {number} count */
function repeat(message, count) {
  let left = count
  return new Readable({
    objectMode: true,
    read() {
      while (left > 0) {
        left--
        if (!this.push(message)) return
      }
      this.push(null)
    },
  })
}

/**
 * Ways to consume a readable of messages.
 *
 * @type {Record<string, (readable: AsyncIterable<any> & import('node:stream').Readable, onMessage: (message: any) => void) => unknown>}
 */
export const consume = {
  data: (readable, onMessage) => readable.on('data', onMessage),
  pipeline: (readable, onMessage) =>
    pipeline(
      readable,
      new Writable({
        objectMode: true,
        write(message, _encoding, callback) {
          onMessage(message)
          callback()
        },
      }),
    ),
  'for await': async (readable, onMessage) => {
    for await (const message of readable) onMessage(message)
  },
}

/**
 * A message with a length before it, as one must send over a byte stream.
 *
 * @param {Buffer} message
 */
export function frameOf(message) {
  const frame = Buffer.allocUnsafe(FRAME_HEADER + message.length)
  frame.writeUInt32LE(message.length, 0)
  message.copy(frame, FRAME_HEADER)
  return frame
}

/**
 * Takes the frames apart again: a listener for 'data' that calls `onMessage`
 * with each message.
 *
 * @param {(message: Buffer) => void} onMessage
 */
export function unframe(onMessage) {
  /** @type {Buffer | null} the start of a frame whose rest has not come yet */
  let held = null
  return (/** @type {Buffer} */ chunk) => {
    const bytes = held ? Buffer.concat([held, chunk]) : chunk
    let at = 0
    while (bytes.length - at >= FRAME_HEADER) {
      const end = at + FRAME_HEADER + bytes.readUInt32LE(at)
      if (end > bytes.length) break
      onMessage(bytes.subarray(at + FRAME_HEADER, end))
      at = end
    }
    held = at < bytes.length ? bytes.subarray(at) : null
  }
}
