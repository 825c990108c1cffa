/** A process that opens, sends a few messages and stops, again and again, each time another way. */
import { setImmediate as turn } from 'node:timers/promises'
import { open } from 'kernelmq'
import { compose } from './message.js'
import { ConfirmedRecord } from './records.js'

const { address, file, first, cycles } = JSON.parse(process.argv[2])
/** More than the queue has room for: some are waiting when the stream is stopped. */
const MANY = 500

const record = new ConfirmedRecord(file, false)

const ways = {
  end: ({ writer }) => writer.end(),
  // A writer that waits for nothing does not notice that its queue is closed.
  close: ({ queue, writer }) => queue.close().then(() => writer.destroy()),
  destroy: ({ writer }) => writer.destroy(),
  abort: ({ controller }) => controller.abort(),
}

for (let cycle = 0; cycle < cycles; cycle++) {
  const queue = open(address)
  const controller = new AbortController()
  const writer = queue.writable({ signal: controller.signal })
  const stop = Object.values(ways)[cycle % Object.keys(ways).length]
  const closed = new Promise((resolve) => writer.once('close', resolve))
  // Whoever stops a stream with writes pending is told so, once.
  writer.on('error', (error) => {
    if (!['ERR_QUEUE_CLOSED', 'ABORT_ERR'].includes(error.code)) throw error
  })
  // A number of its own in each cycle: what arrives of it must be what was confirmed.
  const producer = first + cycle
  let confirmed = 0
  for (let sequence = 0; sequence < MANY; sequence++) {
    writer.write(compose(producer, sequence), (error) => {
      if (!error) record.add(producer, ++confirmed)
    })
  }
  for (let turns = cycle % 20; turns > 0; turns--) await turn()
  stop({ queue, writer, controller })
  await closed
  await queue.close()
}
record.close()
