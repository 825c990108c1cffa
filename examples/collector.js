// Collects log lines from a queue into files that rotate. The program that logs never waits for a disk,
// and its logs survive its crash.
//
//   npm install kernelmq rotating-file-stream
//   node examples/collector.js QUEUE FOLDER [SIZE]       SIZE like 10M, when to begin a new file
import { once } from 'node:events'
import { open } from 'kernelmq'
import { createStream } from 'rotating-file-stream'

const [address, folder, size = '10M'] = process.argv.slice(2)
if (!address || !folder) {
  console.error('usage: node examples/collector.js QUEUE FOLDER [SIZE]')
  process.exit(2)
}

const queue = open(address, { create: true })
const files = createStream('collected.log', { path: folder, size, maxFiles: 10 })

// On a System V queue a message leaves the kernel only when it is in the file, so a collector that is
// killed loses nothing. A POSIX queue cannot do that.
const ack = queue.kind === 'sysv'
const frames = queue.readable({ ack })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => frames.stop())

for await (const frame of frames) {
  const line = Buffer.concat([frame.data, Buffer.from('\n')])
  await new Promise((resolve, reject) => {
    files.write(line, (error) => (error ? reject(error) : resolve()))
  })
  if (ack) frame.ack()
}

await queue.close()
files.end()
await once(files, 'finish')
