/**
 * The demo's second process: takes what the first one sends. It is told what to do over the channel
 * of child_process.fork(), and answers there; the lines of the log come through the queue.
 */
import { open } from '../../index.js'
import { type Summary, Tally } from './tally.js'

export type Task =
  /** Read as a stream, or by events, until an empty message. */
  | { how: 'stream' | 'events'; address: string; urgent: number }
  /** Read this many messages, and tell the order in which they came. */
  | { how: 'order'; address: string; count: number; type: number }

export type Report =
  | { how: 'stream' | 'events'; summary: Summary; urgent?: number }
  | { how: 'order'; lines: string[] }

async function readStream(task: Task & { how: 'stream' | 'events' }): Promise<Report> {
  await using queue = open(task.address, { access: 'read' })
  const tally = new Tally()
  for await (const { type, data } of queue.readable({ eof: true })) {
    tally.add(Number(type), data)
  }
  return { how: 'stream', summary: tally.finish() }
}

async function readEvents(task: Task & { how: 'stream' | 'events' }): Promise<Report> {
  await using queue = open(task.address, { access: 'read' })
  const tally = new Tally()
  let urgent = 0
  const consumer = queue.consumer({ eof: true })
  consumer.on('message', ({ type, data }) => tally.add(Number(type), data))
  consumer.on(`message:${task.urgent}`, () => {
    urgent++
  })
  await new Promise<void>((resolve, reject) => {
    consumer.on('close', resolve)
    consumer.on('error', reject)
  })
  return { how: 'events', summary: tally.finish(), urgent }
}

async function readOrder(task: Task & { how: 'order' }): Promise<Report> {
  await using queue = open(task.address, { access: 'read' })
  const lines: string[] = []
  for (let i = 0; i < task.count; i++) {
    lines.push((await queue.receive({ type: task.type })).data.toString())
  }
  return { how: 'order', lines }
}

process.on('message', async (task: Task) => {
  const report =
    task.how === 'order'
      ? await readOrder(task)
      : task.how === 'events'
        ? await readEvents(task)
        : await readStream(task)
  process.send?.(report)
})

// Whatever became of the first process, nothing more comes from it.
process.on('disconnect', () => process.exit())
