/** What the callbacks of writes say where a stream ends in the middle of what was written. */
import type { QueueError, QueueWritable } from 'kernelmq'
import t from 'tap'
import { drain, fill, kinds, LARGE, openQueue } from './fixtures/queues.js'
import { settle, until } from './fixtures/streams.js'

const DATA = Buffer.alloc(LARGE, 'x')

/** Writes in one tick; which of them failed, once the stream is closed. */
async function write(writer: QueueWritable, chunks: Buffer[], stop = () => {}): Promise<boolean[]> {
  const failed: boolean[] = []
  writer.on('error', () => {})
  const closed = new Promise<void>((resolve) => writer.once('close', resolve))
  for (const [i, chunk] of chunks.entries()) {
    writer.write(chunk, (error) => {
      failed[i] = Boolean(error)
    })
  }
  setImmediate(stop)
  await closed
  return failed
}

for (const kind of kinds) {
  t.test(
    `${kind}: destroyed in the middle, the writes that the kernel has are confirmed`,
    async (t) => {
      const queue = openQueue(t, kind)
      const writer = queue.writable()
      const failed = await write(writer, Array(15).fill(DATA), () => writer.destroy())
      const queued = drain(queue).length
      t.equal(queued, 10)
      t.same(failed, [...Array(queued).fill(false), ...Array(15 - queued).fill(true)])
    },
  )

  t.test(`${kind}: destroyed, they say so, for the queue is not closed`, async (t) => {
    const queue = openQueue(t, kind)
    fill(queue)
    for (const objectMode of [true, false]) {
      const writer = queue.writable({ objectMode })
      const codes: unknown[] = []
      const told = (error?: Error | null) => codes.push((error as QueueError | null)?.code)
      writer.write(DATA, told)
      await settle()
      writer.write(DATA, told)
      writer.destroy()
      await until(() => codes.length === 2)
      t.same(codes, ['ERR_STREAM_DESTROYED', 'ERR_STREAM_DESTROYED'])
    }
  })

  t.test(`${kind}: a message that is too long fails itself and what comes after it`, async (t) => {
    const queue = openQueue(t, kind)
    const long = Buffer.alloc(16_384)
    const failed = await write(queue.writable(), [DATA, DATA, long, DATA])
    t.same(failed, [false, false, true, true])
    t.equal(drain(queue).length, 2)
  })

  t.test(`${kind}: the queue closed in the middle, the same`, async (t) => {
    const queue = openQueue(t, kind)
    const failed = await write(queue.writable(), Array(12).fill(DATA), () => queue.close())
    t.same(failed, [...Array(10).fill(false), true, true])
  })
}
