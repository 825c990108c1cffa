/** A process that sends `count` messages, or until SIGTERM, and writes down how many the kernel has. */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { open } from 'kernelmq'
import { compose } from './message.js'
import { ConfirmedRecord } from './records.js'

const { address, file, producer, count, durable } = JSON.parse(process.argv[2])
const queue = open(address)
const record = new ConfirmedRecord(file, true)
const writer = queue.writable()
let stopping = false
process.on('SIGTERM', () => {
  stopping = true
})
writeSync(1, 'ready\n')

let confirmed = 0
function confirm(error) {
  if (error) throw error
  confirmed++
  if (confirmed === 1) writeSync(1, 'sending\n')
  if (durable) record.add(producer, confirmed)
}

// Without a count it goes on for ever.
for (let sequence = 0; sequence !== count && !stopping; sequence++) {
  if (!writer.write(compose(producer, sequence), confirm)) await once(writer, 'drain')
}
writer.end()
await finished(writer)
record.add(producer, confirmed)
record.close()
await queue.close()
