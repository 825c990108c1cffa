/** A process that opens, receives a few messages and stops, again and again, each time another way. */
import { writeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { open } from 'kernelmq'
import { ReceivedRecord } from './records.js'

const { address, file, cycles } = JSON.parse(process.argv[2])
const record = new ReceivedRecord(file, false)
let carried = 0

/** Reads until `few` messages have come, stops, and waits until the stream is closed. */
async function listen(queue, options, few, stop) {
  const reader = queue.readable(options)
  let count = 0
  reader.on('data', (frame) => {
    record.note(frame)
    if (++count === few) stop(reader)
  })
  await ended(reader)
}

/** What could not be put back, because the queue was full, is on the error: not lost, but told. */
async function ended(reader) {
  try {
    await finished(reader)
  } catch (error) {
    notice(error)
  }
}

const noticed = new Set()

/** A loop that is left and a stream that is closed may tell of the same error. */
function notice(error) {
  if (!['ERR_FRAMES_LOST', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE'].includes(error.code))
    throw error
  if (noticed.has(error)) return
  noticed.add(error)
  for (const frame of error.frames ?? []) record.note(frame)
  carried += error.frames?.length ?? 0
}

const ways = {
  stop: (queue, few) => listen(queue, {}, few, (reader) => reader.stop()),
  close: (queue, few) => listen(queue, {}, few, () => queue.close()),
  destroy: (queue, few) => listen(queue, {}, few, (reader) => reader.destroy()),
  abort: (queue, few) => {
    const controller = new AbortController()
    return listen(queue, { signal: controller.signal }, few, () => controller.abort())
  },
  async break(queue, few) {
    const reader = queue.readable()
    const end = ended(reader)
    let count = 0
    try {
      for await (const frame of reader) {
        record.note(frame)
        if (++count === few) break
      }
    } catch (error) {
      notice(error)
    }
    await end
  },
}

for (let cycle = 0; cycle < cycles; cycle++) {
  const queue = open(address)
  const stop = Object.values(ways)[cycle % Object.keys(ways).length]
  await stop(queue, 1 + Math.floor(Math.random() * 40))
  await queue.close()
}
record.close()
writeSync(1, JSON.stringify({ carried }))
