// The installed package, both kinds: a message goes and comes back.
import { limits, open } from 'kernelmq'

const queues = [
  open(`/kernelmq-try-${process.pid}`, { create: true, maxMessageSize: 256 }),
  open({ private: true }),
]
for (const queue of queues) {
  try {
    queue.writable().end('packed and unpacked')
    for await (const { data } of queue) {
      if (data.toString() !== 'packed and unpacked') throw new Error(`received ${data}`)
      console.log(`${queue.kind}: ${data}`)
      break
    }
  } finally {
    queue.unlink()
    await queue.close()
  }
}
console.log('priorities up to', limits().posix.priorityMax)
