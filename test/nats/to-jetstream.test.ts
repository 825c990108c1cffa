import { once } from 'node:events'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { Frame, type MessageQueue, type SysVQueue } from 'kernelmq'
import { ensureStream, toJetStream } from 'kernelmq/nats'
import tap from 'tap'
import { inChild } from '../fixtures/child.js'
import { startProxy } from '../fixtures/nats/proxy.js'
import { connectTo, noServer, startServer, stored } from '../fixtures/nats/server.js'
import { drain, openQueue, type Test } from '../fixtures/queues.js'

const t = tap
type Tap = Test & { testdir(): string; rejects: typeof tap.rejects; equal: typeof tap.equal }
if (noServer) {
  t.plan(0, noServer)
  process.exit()
}

const server = await startServer(t)
const connection = await connectTo(t, server)
const js = jetstream(connection)
const manager = await jetstreamManager(connection)

let streams = 0
async function newStream(options: { max_bytes?: number; duplicate_window?: number } = {}) {
  const name = `OUT${++streams}`
  await manager.streams.add({ name, subjects: [`${name}.>`], discard: 'new', ...options })
  return name
}

function send(queue: MessageQueue, count: number, first = 0): void {
  for (let i = first; i < first + count; i++) queue.trySend(`${i}`, { type: 1 + (i % 2) })
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i}`)
}

/** Resolves when the queue is empty: the bridge has acknowledged all. */
async function emptied(queue: MessageQueue): Promise<void> {
  while (queue.stats().messages > 0) await delay(5)
}

t.test('a frame travels with its type in subject and header, and its data as it is', async (t) => {
  const stream = await newStream()
  const sink = toJetStream(js, { stream })
  sink.write(new Frame(7, Buffer.from([0xff])))
  sink.write(new Frame(2n ** 60n, Buffer.from('')))
  sink.write('text')
  sink.end()
  await once(sink, 'finish')
  const found = await stored(connection, stream)
  t.match(found, [
    { subject: `${stream}.7`, type: '7', data: '\xff' },
    { subject: `${stream}.1152921504606846976`, type: '1152921504606846976', data: '' },
    { subject: `${stream}.1`, type: '1', data: 'text' },
  ])
  t.match(sink.stats, { frames: 3, bytes: 5, inFlight: 0, retries: 0, repeats: 0 })
})

t.test('a message leaves the queue when JetStream has it, and not before', async (t) => {
  const stream = await newStream()
  const proxy = await startProxy(t, server)
  const slow = await connectTo(t, proxy)
  const queue = openQueue(t, 'sysv')
  const sink = toJetStream(jetstream(slow), { stream })
  const source = queue.readable({ ack: true })
  const done = pipeline(source, sink)
  send(queue, 1)
  await emptied(queue)
  proxy.mute()
  send(queue, 5, 1)
  while ((await stored(connection, stream)).length < 6) await delay(5)
  t.equal(queue.stats().messages, 5, 'stored, and no word of it')
  const retried = once(sink, 'retry')
  proxy.cut()
  await retried
  await emptied(queue)
  source.stop()
  await done
  t.equal((await stored(connection, stream)).length, 6, 'no repeats')
})

t.test('what is sent again after a cut keeps its order', async (t) => {
  const stream = await newStream()
  const proxy = await startProxy(t, server)
  const queue = openQueue(t, 'sysv', { maxBytes: 4000 })
  const sink = toJetStream(jetstream(await connectTo(t, proxy)), { stream, inFlight: 64 })
  const source = queue.readable({ ack: true, highWaterMark: 64 })
  const done = pipeline(source, sink)
  for (let i = 0; i < 2000; i++) {
    await queue.send(`${i}`, { type: 1 })
    if (i % 500 === 250) proxy.cut()
  }
  await emptied(queue)
  source.stop()
  await done
  const found = await stored(connection, stream)
  t.same(
    found.map(({ data }) => data),
    numbers(2000),
  )
  t.ok(sink.stats.retries > 0)
})

t.test('a full stream holds the queue back, and loses nothing', async (t) => {
  const stream = await newStream({ max_bytes: 2000 })
  const queue = openQueue(t, 'sysv')
  const sink = toJetStream(js, { stream })
  const source = queue.readable({ ack: true })
  const done = pipeline(source, sink)
  const full = once(sink, 'retry')
  send(queue, 30)
  const [error] = await full
  t.match(error.message, /maximum bytes exceeded/)
  t.ok(queue.stats().messages > 0)
  await manager.streams.update(stream, { max_bytes: -1 })
  await emptied(queue)
  source.stop()
  await done
  t.same(
    (await stored(connection, stream)).map(({ data }) => data),
    numbers(30),
  )
})

/** A bridge that dies with all of its messages stored and none acknowledged. */
async function killedUnheard(t: Tap, stream: string, queue: SysVQueue, file: string) {
  const proxy = await startProxy(t, server)
  const slow = await connectTo(t, proxy)
  const source = queue.readable({ ack: true })
  const sink = toJetStream(jetstream(slow), { stream, journal: { file, queue } })
  const done = pipeline(source, sink)
  send(queue, 1)
  await emptied(queue)
  proxy.mute()
  send(queue, 5, 1)
  while ((await stored(connection, stream)).length < 6) await delay(5)
  sink.destroy(new Error('killed'))
  await t.rejects(done, { message: 'killed' })
  t.equal(queue.stats().messages, 5)
}

t.test('what the last run published and did not remove is not stored twice', async (t) => {
  const stream = await newStream()
  const queue = openQueue(t, 'sysv')
  const file = join(t.testdir(), 'ids')
  await killedUnheard(t, stream, queue, file)
  send(queue, 2, 6)
  const source = queue.readable({ ack: true })
  const sink = toJetStream(js, { stream, journal: { file, queue } })
  const done = pipeline(source, sink)
  await emptied(queue)
  source.stop()
  await done
  t.same(
    (await stored(connection, stream)).map(({ data }) => data),
    numbers(8),
  )
})

t.test('not even when JetStream has forgotten the ids', async (t) => {
  const stream = await newStream({ duplicate_window: nanos(100) })
  const queue = openQueue(t, 'sysv')
  const file = join(t.testdir(), 'ids')
  await killedUnheard(t, stream, queue, file)
  // Only time makes it forget.
  await delay(500)
  const source = queue.readable({ ack: true })
  const done = pipeline(source, toJetStream(js, { stream, journal: { file, queue } }))
  await emptied(queue)
  source.stop()
  await done
  t.equal((await stored(connection, stream)).length, 6)
})

t.test('two bridges into one stream keep the order of each', async (t) => {
  const stream = await newStream()
  const bridges = [1, 2].map((type) => {
    const queue = openQueue(t, 'sysv', { maxBytes: 4000 })
    for (let i = 0; i < 50; i++) queue.trySend(`${i}`, { type })
    const source = queue.readable({ ack: true })
    return { queue, source, done: pipeline(source, toJetStream(js, { stream, shared: true })) }
  })
  for (const { queue, source, done } of bridges) {
    await emptied(queue)
    source.stop()
    await done
  }
  const found = await stored(connection, stream)
  for (const type of ['1', '2']) {
    const data = found.filter((each) => each.type === type).map((each) => each.data)
    t.same(data, numbers(50))
  }
})

t.test(
  'a stream that others publish to is slow, not wrong, when the bridge is not told',
  async (t) => {
    const stream = await newStream()
    const sink = toJetStream(js, { stream })
    const told = once(sink, 'retry')
    for (let i = 0; i < 100; i++) {
      sink.write(`${i}`)
      if (i % 10 === 0) await js.publish(`${stream}.9`, 'other')
    }
    sink.end()
    const [error] = await Promise.race([told, once(sink, 'finish').then(() => [undefined])])
    if (!sink.writableFinished) await once(sink, 'finish')
    if (error) t.match(error.message, /others publish/)
    const found = (await stored(connection, stream)).filter(({ type }) => type === '1')
    t.same(
      found.map(({ data }) => data),
      numbers(100),
    )
  },
)

t.test('of a POSIX queue no more is taken than the bridge may lose', async (t) => {
  const stream = await newStream()
  const proxy = await startProxy(t, server)
  const queue = openQueue(t, 'posix')
  const sink = toJetStream(jetstream(await connectTo(t, proxy)), { stream, inFlight: 4 })
  sink.write('first')
  while (sink.stats.frames === 0) await delay(5)
  proxy.mute()
  for (let i = 0; i < 10; i++) queue.trySend(`${i}`)
  const done = pipeline(queue.readable({ highWaterMark: 0 }), sink)
  while (queue.stats().messages > 7) await delay(5)
  await delay(100)
  const taken = 10 - queue.stats().messages
  t.ok(taken <= 5, `${taken} taken: four in the bridge, one on the way to it`)
  const ended = t.rejects(done, { message: 'enough' })
  sink.destroy(new Error('enough'))
  await ended
  t.equal(sink.unstored.length + drain(queue).length, 10, 'none got lost')
})

t.test('a stream that is not there is refused, and the message stays', async (t) => {
  const queue = openQueue(t, 'sysv')
  send(queue, 1)
  const done = pipeline(queue.readable({ ack: true }), toJetStream(js, { stream: 'NONE' }))
  await t.rejects(done, { name: 'BridgeError', code: 'ERR_STREAM_NOT_FOUND' })
  t.equal(queue.stats().messages, 1)
})

t.test("a message above the server's max_payload is refused and stays", async (t) => {
  const small = await startServer(t, 'max_payload: 2048')
  const own = await connectTo(t, small)
  await ensureStream(own, { stream: 'SMALL' })
  const queue = openQueue(t, 'sysv', { maxBytes: 16_384 })
  queue.trySend('fits')
  queue.trySend(Buffer.alloc(2040))
  const sink = toJetStream(jetstream(own), { stream: 'SMALL' })
  const error = await pipeline(queue.readable({ ack: true }), sink).catch((error) => error)
  t.match(error, { code: 'ERR_PAYLOAD_TOO_LARGE', message: /2040 bytes.*max_payload of 2048/ })
  t.equal(queue.peek(queue.stats().messages - 1)?.data.length, 2040)
})

t.test("so is one above the stream's max_msg_size", async (t) => {
  const name = 'SHORT'
  await manager.streams.add({ name, subjects: [`${name}.>`], max_msg_size: 300 })
  const queue = openQueue(t, 'sysv', { maxBytes: 16_384 })
  queue.trySend(Buffer.alloc(400))
  const done = pipeline(queue.readable({ ack: true }), toJetStream(js, { stream: name }))
  await t.rejects(done, { code: 'ERR_PAYLOAD_TOO_LARGE', message: /max_msg_size/ })
  t.equal(queue.stats().messages, 1)
})

t.test('another consumer of the queue is a conflict', async (t) => {
  const stream = await newStream()
  const proxy = await startProxy(t, server)
  const queue = openQueue(t, 'sysv')
  const source = queue.readable({ ack: true })
  const done = pipeline(source, toJetStream(jetstream(await connectTo(t, proxy)), { stream }))
  send(queue, 1)
  await emptied(queue)
  proxy.mute()
  send(queue, 4, 1)
  while ((await stored(connection, stream)).length < 5) await delay(5)
  await inChild((kernelmq, address) => void kernelmq.open(address).tryReceive(), {
    args: [queue.address],
  })
  proxy.cut()
  await t.rejects(done, { code: /ERR_JOURNAL_CONFLICT|ERR_ACK_CONFLICT/ })
})

t.test('a wrong chunk, name or option is refused', async (t) => {
  t.throws(() => toJetStream(js, { stream: 'A.B' }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => toJetStream(js, { stream: 'A', window: 1 } as never), {
    message: /options\.window/,
  })
  t.throws(() => toJetStream({} as never, { stream: 'A' }).destroy(), {
    message: 'The argument "js" must be a client made by jetstream()',
  })
  const sink = toJetStream(js, { stream: await newStream() })
  const failed = once(sink, 'error')
  sink.write(5)
  t.match((await failed)[0], { code: 'ERR_INVALID_ARG_TYPE' })
})
