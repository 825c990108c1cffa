/** A process that receives and writes down what it got, until SIGTERM. */
import { writeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { open } from 'kernelmq'
import { ReceivedRecord } from './records.js'

const { address, file, ack, durable } = JSON.parse(process.argv[2])
const queue = open(address)
const record = new ReceivedRecord(file, durable)
const reader = queue.readable({ ack })
reader.once('data', () => writeSync(1, 'receiving\n'))
reader.on('data', (frame) => {
  record.note(frame)
  if (ack) frame.ack()
})
process.on('SIGTERM', () => reader.stop())
writeSync(1, 'ready\n')
await finished(reader)
record.close()
await queue.close()
