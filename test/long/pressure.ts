/**
 * What takes long to show: a producer ten times faster than its consumer, timers under a flood, and a
 * storm of signals. Prints what it measured; exits 1 where a promise of docs/reliability.md is broken.
 *
 *   npm run test:pressure -- --seconds 60
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type MessageQueue, open } from 'kernelmq'

const LENGTH = 64
const TIMER_P99_MS = 20
/** Shorter runs, on machines that do other things too, only print how late the timer was. */
const LONG_S = 60
const GROWTH_MB = 10

const kinds = ['sysv', 'posix'] as const
type Kind = (typeof kinds)[number]

/** What the producer tells when it is told to stop. */
interface Told {
  written: number
  refused: number
  drained: number
}

/** In a process of its own: numbers in messages, as fast as the queue takes them. */
async function produce(address: string): Promise<void> {
  const writer = open(address).writable()
  const told: Told = { written: 0, refused: 0, drained: 0 }
  let going = true
  process.once('message', () => {
    going = false
  })
  process.on('SIGUSR2', () => {})
  process.send?.('ready')
  while (going) {
    const data = Buffer.alloc(LENGTH)
    data.writeUInt32LE(told.written++, 0)
    if (writer.write(data)) continue
    told.refused++
    await once(writer, 'drain')
    told.drained++
  }
  writer.end()
  await once(writer, 'close')
  process.send?.(told)
  process.disconnect()
}

class Producer {
  private constructor(readonly child: ChildProcess) {}

  static async start(queue: MessageQueue): Promise<Producer> {
    const address = 'id' in queue ? `sysv:id=${queue.id}` : queue.address
    const child = fork(fileURLToPath(import.meta.url), [address])
    await once(child, 'message')
    return new Producer(child)
  }

  get rssMb(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }

  async stop(): Promise<Told> {
    this.child.send('stop')
    const [told] = await once(this.child, 'message')
    return told as Told
  }
}

async function withQueue(kind: Kind, use: (queue: MessageQueue) => Promise<boolean>) {
  const queue =
    kind === 'sysv'
      ? open({ private: true }, { create: true })
      : open(`/kernelmq-pressure-${process.pid}`, { create: true, maxMessageSize: LENGTH })
  const remove = () => queue.unlink()
  process.once('exit', remove)
  try {
    return await use(queue)
  } finally {
    process.removeListener('exit', remove)
    remove()
    await queue.close()
  }
}

/** Checks that messages come in order, one by one. */
function inOrder(): (data: Buffer) => void {
  let next = 0
  return (data) => {
    const number = data.readUInt32LE(0)
    if (number !== next) throw new Error(`message ${number} in place of ${next}`)
    next++
  }
}

async function slowConsumer(kind: Kind, queue: MessageQueue, seconds: number): Promise<boolean> {
  const producer = await Producer.start(queue)
  const check = inOrder()
  const until = performance.now() + seconds * 1000
  const rss: number[] = []
  let received = 0
  let told: Promise<Told> | undefined
  const reader = queue.readable()
  for await (const { data } of reader) {
    check(data)
    // A tenth of what the producer could do, and less.
    if (++received % 10 === 0) await delay(2)
    if (received % 100 === 0) rss.push(producer.rssMb)
    if (performance.now() < until || told) continue
    told = producer.stop()
    told.then(() => reader.stop())
  }
  const { written, refused, drained } = (await told) as Told
  // The first quarter is for warming up.
  const settled = rss[rss.length >> 2] as number
  const growth = (rss.at(-1) as number) - settled
  const lost = written - received - queue.stats().messages
  console.log(
    `${kind.padEnd(5)} slow consumer, ${seconds} s: ${written} written, ${received} received in order, ${lost} lost, ` +
      `write() false ${refused} times, drain ${drained} times, ` +
      `producer's RSS ${settled.toFixed(1)} MB and then ${growth >= 0 ? '+' : ''}${growth.toFixed(1)} MB`,
  )
  return lost === 0 && growth < GROWTH_MB && drained === refused && refused > 0
}

async function flood(kind: Kind, queue: MessageQueue, seconds: number): Promise<boolean> {
  const producer = await Producer.start(queue)
  let received = 0
  const reader = queue.readable().on('data', () => received++)
  const late: number[] = []
  const until = performance.now() + seconds * 1000
  for (let now = performance.now(); now < until; now = performance.now()) {
    await delay(1)
    late.push(performance.now() - now - 1)
  }
  await producer.stop()
  reader.destroy()
  await once(reader, 'close')
  late.sort((a, b) => a - b)
  const at = (part: number) => late[Math.floor(part * (late.length - 1))] as number
  console.log(
    `${kind.padEnd(5)} flood, ${seconds} s: ${Math.round(received / seconds)} msg/s; a 1 ms timer is late by ` +
      `${at(0.5).toFixed(2)} ms (median), ${at(0.99).toFixed(2)} ms (p99), ${at(1).toFixed(2)} ms (most)`,
  )
  return seconds < LONG_S || at(0.99) < TIMER_P99_MS
}

async function storm(kind: Kind, queue: MessageQueue, seconds: number): Promise<boolean> {
  const producer = await Producer.start(queue)
  let signals = 0
  const onSignal = () => signals++
  process.on('SIGUSR2', onSignal)
  const timer = setInterval(() => {
    producer.child.kill('SIGUSR2')
    process.kill(process.pid, 'SIGUSR2')
  }, 1)
  const check = inOrder()
  let received = 0
  const until = performance.now() + seconds * 1000
  let told: Promise<Told> | undefined
  const reader = queue.readable()
  for await (const { data } of reader) {
    check(data)
    // Both sides wait now and then.
    if (++received % 1000 === 0) await delay(1)
    if (performance.now() < until || told) continue
    told = producer.stop()
    told.then(() => reader.stop())
  }
  clearInterval(timer)
  process.removeListener('SIGUSR2', onSignal)
  const { written } = (await told) as Told
  const lost = written - received - queue.stats().messages
  console.log(
    `${kind.padEnd(5)} signal storm, ${seconds} s: ${signals} signals, ${written} written, ${received} received in order, ${lost} lost`,
  )
  return lost === 0 && signals > 0
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } })
  const seconds = Number(values.seconds)
  let kept = true
  for (const run of [slowConsumer, flood, storm]) {
    for (const kind of kinds) {
      kept = (await withQueue(kind, (queue) => run(kind, queue, seconds))) && kept
    }
  }
  process.exitCode = kept ? 0 : 1
}

if (process.send) await produce(process.argv[2] as string)
else await main()
