/** Sends and receives messages of 64 bytes in one process: what instructions.js counts. */
import { open } from 'kernelmq'

const messages = Number(process.argv[2])
const queue = open('sysv:private')
try {
  const data = Buffer.alloc(64, 'x')
  const writable = queue.writable()
  const readable = queue.readable()
  let received = 0
  readable.on('data', () => {
    if (++received === messages) readable.destroy()
  })
  let sent = 0
  const write = () => {
    while (sent++ < messages) {
      if (writable.write(data)) continue
      writable.once('drain', write)
      return
    }
  }
  write()
  await new Promise((resolve) => readable.on('close', resolve))
} finally {
  queue.unlink()
  await queue.close()
}
