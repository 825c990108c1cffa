import { once } from 'node:events'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { type AckFrame, Frame } from 'kernelmq'
import {
  type BridgeError,
  ensureStream,
  fromJetStream,
  type JetStreamReadable,
  toJetStream,
  toQueue,
} from 'kernelmq/nats'
import t from 'tap'
import { startProxy } from '../fixtures/nats/proxy.js'
import { connectTo, noServer, startServer } from '../fixtures/nats/server.js'
import { drain, fill, openQueue } from '../fixtures/queues.js'

if (noServer) {
  t.plan(0, noServer)
  process.exit()
}

const server = await startServer(t)
const connection = await connectTo(t, server)
const js = jetstream(connection)
const manager = await jetstreamManager(connection)

let streams = 0
/** A stream with messages 0, 1, … of types 1 and 2. */
async function newStream(count: number, retention: 'limits' | 'workqueue' = 'limits') {
  const name = `IN${++streams}`
  await manager.streams.add({ name, subjects: [`${name}.>`], retention })
  for (let i = 0; i < count; i++) await js.publish(`${name}.${1 + (i % 2)}`, `${i}`)
  return name
}

function numbers(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${first + i}`)
}

async function take(source: JetStreamReadable, count: number): Promise<AckFrame[]> {
  const frames: AckFrame[] = []
  while (frames.length < count) {
    const frame = source.read() as AckFrame | null
    if (frame) frames.push(frame)
    else await once(source, 'readable')
  }
  return frames
}

const text = (frames: Frame[]) => frames.map(({ data }) => data.toString())

/** Until JetStream knows that so many messages are acknowledged. */
async function acknowledged(stream: string, count: number): Promise<void> {
  for (;;) {
    const { ack_floor } = await manager.consumers.info(stream, 'c')
    if (ack_floor.stream_seq >= count) return
    await delay(5)
  }
}

t.test('what was sent to a stream comes out as it was', async (t) => {
  const stream = await newStream(0)
  const sink = toJetStream(js, { stream })
  sink.write(new Frame(3, Buffer.from('three')))
  sink.write(new Frame(2n ** 60n, Buffer.alloc(0)))
  sink.end()
  await once(sink, 'finish')
  const source = fromJetStream(js, { stream, consumer: 'c' })
  const [first, second] = await take(source, 2)
  t.match(first, { type: 3, data: Buffer.from('three') })
  t.match(second, { type: 2n ** 60n, data: Buffer.alloc(0) })
  source.destroy()
})

t.test("another publisher's type is the header, the subject's last token, or 1", async (t) => {
  const stream = await newStream(0)
  await js.publish(`${stream}.a.8`, 'a')
  await js.publish(`${stream}.a.b`, 'b')
  const typed = headers()
  typed.set('Kmq-Type', '5')
  await js.publish(`${stream}.9`, 'c', { headers: typed })
  const source = fromJetStream(js, { stream, consumer: 'c' })
  t.same(
    (await take(source, 3)).map(({ type }) => type),
    [8, 1, 5],
  )
  source.destroy()
})

t.test('only frames of one type come when that is asked for', async (t) => {
  const stream = await newStream(6)
  const source = fromJetStream(js, { stream, consumer: 'c', type: 2 })
  t.same(text(await take(source, 3)), ['1', '3', '5'])
  source.destroy()
})

t.test('a full queue holds the stream back, and nothing is dropped', async (t) => {
  const stream = await newStream(40)
  const queue = openQueue(t, 'sysv')
  const blockers = fill(queue, 9)
  const source = fromJetStream(js, { stream, consumer: 'c', highWaterMark: 8 })
  const done = pipeline(source, toQueue(queue))
  while (source.stats.inFlight < 8) await delay(5)
  const info = await manager.consumers.info(stream, 'c')
  t.equal(info.ack_floor.stream_seq, 0, 'nothing is acknowledged')
  t.equal(info.num_ack_pending, 8, 'and no more taken than may be')
  for (let i = 0; i < blockers; i++) queue.tryReceive({ type: 9 })
  const got: string[] = []
  while (got.length < 40) got.push((await queue.receive()).data.toString())
  t.same(got, numbers(40))
  await acknowledged(stream, 40)
  source.stop()
  await done
  t.match(source.stats, { frames: 40, inFlight: 0, lag: 0 })
})

for (const retention of ['limits', 'workqueue'] as const) {
  t.test(
    `what a dead reader left unacknowledged comes at once and first (${retention})`,
    async (t) => {
      const stream = await newStream(20, retention)
      const dead = fromJetStream(js, { stream, consumer: 'c', highWaterMark: 8 })
      const frames = await take(dead, 6)
      for (const frame of frames.slice(0, 3)) frame.ack()
      await acknowledged(stream, 3)
      dead.destroy()
      const next = fromJetStream(js, { stream, consumer: 'c' })
      t.same(text(await take(next, 17)), numbers(17, 3))
      next.destroy()
    },
  )
}

t.test('a reader that follows one that ended cleanly goes on', async (t) => {
  const stream = await newStream(10)
  const first = fromJetStream(js, { stream, consumer: 'c', highWaterMark: 5 })
  for (const frame of await take(first, 5)) frame.ack()
  await acknowledged(stream, 5)
  first.destroy()
  const second = fromJetStream(js, { stream, consumer: 'c' })
  t.same(text(await take(second, 5)), numbers(5, 5))
  second.destroy()
})

t.test('a kill in the middle of handing over the consumer loses nothing', async (t) => {
  const stream = await newStream(10)
  await manager.consumers.add(stream, {
    durable_name: 'c-handover',
    ack_policy: 'explicit',
    deliver_policy: 'by_start_sequence',
    opt_start_seq: 4,
  })
  const source = fromJetStream(js, { stream, consumer: 'c' })
  t.same(text(await take(source, 7)), numbers(7, 3))
  await t.rejects(manager.consumers.info(stream, 'c-handover'), { message: /not found/ })
  source.destroy()
})

t.test('a position knows what the kernel has though JetStream was not told', async (t) => {
  const stream = await newStream(10)
  const proxy = await startProxy(t, server)
  const position = join(t.testdir(), 'folder', 'position')
  const source = fromJetStream(jetstream(await connectTo(t, proxy)), {
    stream,
    consumer: 'c',
    position,
  })
  const frames = await take(source, 10)
  proxy.cut()
  for (const frame of frames.slice(0, 6)) frame.ack()
  source.destroy()
  const next = fromJetStream(js, { stream, consumer: 'c', position })
  const found = text(await take(next, 4))
  t.same(found, numbers(4, 6))
  next.destroy()
})

t.test('the position of another life of the stream is not believed', async (t) => {
  const stream = await newStream(5)
  const position = join(t.testdir(), 'position')
  const source = fromJetStream(js, { stream, consumer: 'c', position })
  for (const frame of await take(source, 5)) frame.ack()
  source.destroy()
  await manager.streams.delete(stream)
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`] })
  await js.publish(`${stream}.1`, 'new')
  const next = fromJetStream(js, { stream, consumer: 'c', position })
  t.same(text(await take(next, 1)), ['new'])
  next.destroy()
})

t.test('the position of a consumer that was made again is not believed', async (t) => {
  const stream = await newStream(5)
  const position = join(t.testdir(), 'position')
  const read = async () => {
    const source = fromJetStream(js, { stream, consumer: 'c', position })
    const frames = await take(source, 5)
    for (const frame of frames) frame.ack()
    source.destroy()
    return text(frames)
  }
  t.same(await read(), numbers(5))
  await manager.consumers.delete(stream, 'c')
  t.same(await read(), numbers(5))
  await acknowledged(stream, 5)
  // As somebody does who wants all of it again; the position is about another consumer.
  await manager.consumers.delete(stream, 'c')
  await manager.consumers.add(stream, { durable_name: 'c', ack_policy: 'explicit' })
  t.same(await read(), numbers(5))
})

t.test('a server that forgot what it delivered does not make the position forget', async (t) => {
  const own = await startServer(t)
  const ownJs = jetstream(await connectTo(t, own))
  const { streams } = await ownJs.jetstreamManager()
  await streams.add({ name: 'S', subjects: ['S.>'] })
  for (let i = 0; i < 20; i++) await ownJs.publish('S.1', `${i}`)
  const position = join(t.testdir(), 'position')
  const source = fromJetStream(ownJs, { stream: 'S', consumer: 'c', position })
  for (const frame of await take(source, 12)) frame.ack()
  source.destroy()
  await own.kill()
  // It writes the state of a consumer later than the message is delivered.
  own.forget('S', 'c')
  await own.start()
  const next = fromJetStream(jetstream(await connectTo(t, own)), {
    stream: 'S',
    consumer: 'c',
    position,
  })
  t.same(text(await take(next, 8)), numbers(8, 12))
  next.destroy()
})

t.test('a position is known though the server gives the stream another birthday', async (t) => {
  const own = await startServer(t)
  const open = async () => jetstream(await connectTo(t, own))
  const { streams } = await (await open()).jetstreamManager()
  const { created } = await streams.add({ name: 'S', subjects: ['S.>'] })
  const publisher = await open()
  for (let i = 0; i < 20; i++) await publisher.publish('S.1', `${i}`)
  const options = { stream: 'S', consumer: 'c', position: join(t.testdir(), 'position') }
  const source = fromJetStream(await open(), options)
  for (const frame of await take(source, 12)) frame.ack()
  source.destroy()
  // nats-server 2.9.10 writes the time of its own start when a stream is changed, and reads it later.
  await own.kill()
  await own.start()
  const manager = await (await open()).jetstreamManager()
  await manager.streams.update('S', { max_bytes: 1_000_000 })
  await own.kill()
  own.forget('S', 'c')
  await own.start()
  const restarted = await open()
  const info = await (await restarted.jetstreamManager()).streams.info('S')
  t.comment(`created ${created}, now ${info.created}`)
  const next = fromJetStream(restarted, options)
  t.same(text(await take(next, 8)), numbers(8, 12))
  next.destroy()
})

for (const [whose, description, first] of [
  ['somebody’s', 'made by hand', 3],
  // Since it began there its stream may have gone back: what was not acknowledged comes again.
  ['another reader’s', 'kernelmq 1234', 0],
] as const) {
  t.test(`where ${whose} consumer begins after a crash of the server: ${first}`, async (t) => {
    const own = await startServer(t)
    const open = async () => jetstream(await connectTo(t, own))
    const { streams, consumers } = await (await open()).jetstreamManager()
    await streams.add({ name: 'S', subjects: ['S.>'] })
    const publisher = await open()
    for (let i = 0; i < 10; i++) await publisher.publish('S.1', `${i}`)
    await consumers.add('S', {
      durable_name: 'c',
      description,
      ack_policy: 'explicit',
      deliver_policy: 'by_start_sequence',
      opt_start_seq: 4,
    })
    await own.kill()
    await own.start()
    const position = join(t.testdir(), 'position')
    const source = fromJetStream(await open(), { stream: 'S', consumer: 'c', position })
    t.same(text(await take(source, 10 - first)), numbers(10 - first, first))
    source.destroy()
  })
}

for (const living of [true, false]) {
  t.test(
    `a stream that went back gives what is new in it to a ${living ? 'living' : 'new'} reader`,
    async (t) => {
      const own = await startServer(t)
      const position = join(t.testdir(), 'position')
      const reader = async () =>
        fromJetStream(jetstream(await connectTo(t, own)), { stream: 'S', consumer: 'c', position })
      const publish = async (...words: string[]) => {
        const publisher = await connectTo(t, own)
        await ensureStream(publisher, { stream: 'S' })
        for (const word of words) await jetstream(publisher).publish('S.1', word)
        await publisher.close()
      }
      await publish('a', 'b', 'c')
      const told: string[] = []
      const listen = (source: JetStreamReadable) =>
        source.on('retry', (error: BridgeError) => told.push(error.code))
      let source = listen(await reader())
      for (const frame of await take(source, 3)) frame.ack()
      await own.kill()
      own.save()
      await own.start()
      await publish('lost 1', 'lost 2', 'lost 3')
      const held = await take(source, 3)
      held[0]?.ack()
      if (!living) source.destroy()
      await own.kill()
      // From the copy, as an administrator restores it.
      own.restore()
      await own.start()
      await publish('d', 'e', 'f', 'g')
      if (!living) source = listen(await reader())
      // What comes again of the first three depends on what the server had noted.
      let found: string[] = []
      while (found.at(-1) !== 'g') found = found.concat(text(await take(source, 1)))
      t.same(found.slice(-4), ['d', 'e', 'f', 'g'])
      t.equal(told.filter((code) => code === 'ERR_STREAM_WENT_BACK').length, 1, told.join())
      source.destroy()
    },
  )
}

t.test('a cut connection loses, repeats and disorders nothing', async (t) => {
  const stream = await newStream(300)
  const proxy = await startProxy(t, server)
  const queue = openQueue(t, 'sysv')
  const source = fromJetStream(jetstream(await connectTo(t, proxy)), {
    stream,
    consumer: 'c',
    highWaterMark: 16,
  })
  const done = pipeline(source, toQueue(queue))
  const got: string[] = []
  while (got.length < 300) {
    got.push((await queue.receive()).data.toString())
    if (got.length % 100 === 50) proxy.cut()
  }
  t.same(got, numbers(300))
  source.stop()
  await done
  t.same(drain(queue), [])
})

t.test('a reader whose consumer is removed makes it again where it was', async (t) => {
  const stream = await newStream(20)
  const source = fromJetStream(js, { stream, consumer: 'c', highWaterMark: 4 })
  const frames = await take(source, 4)
  const retried = once(source, 'retry')
  await manager.consumers.delete(stream, 'c')
  for (const frame of frames) frame.ack()
  await retried
  for (let i = 4; i < 20; i += 4) {
    const more = await take(source, 4)
    t.same(text(more), numbers(4, i))
    for (const frame of more) frame.ack()
  }
  source.destroy()
})

t.test('a stream with others for its sources is read like any', async (t) => {
  const [one, two] = [await newStream(2), await newStream(2)]
  const name = `ALL${streams}`
  await manager.streams.add({ name, sources: [{ name: one }, { name: two }] })
  const source = fromJetStream(js, { stream: name, consumer: 'c' })
  t.same(text(await take(source, 4)).sort(), ['0', '0', '1', '1'])
  source.destroy()
})

t.test('a consumer for other subjects is refused', async (t) => {
  const stream = await newStream(1)
  await manager.consumers.add(stream, { durable_name: 'c', ack_policy: 'explicit' })
  const source = fromJetStream(js, { stream, consumer: 'c', type: 1 })
  const [error] = await once(source, 'error')
  t.match(error, { code: 'ERR_STREAM_SUBJECTS' })
})

t.test('a stream that is not there is refused', async (t) => {
  const [error] = await once(fromJetStream(js, { stream: 'NONE', consumer: 'c' }), 'error')
  t.match(error, { code: 'ERR_STREAM_NOT_FOUND' })
})

t.test('toQueue acknowledges the frames of another queue too', async (t) => {
  const [from, to] = [openQueue(t, 'sysv'), openQueue(t, 'sysv')]
  for (const data of numbers(5)) from.trySend(data, { type: 2 })
  const source = from.readable({ ack: true })
  const done = pipeline(source, toQueue(to))
  while (from.stats().messages > 0) await delay(5)
  source.stop()
  await done
  t.same(
    drain(to),
    numbers(5).map((data) => [2, data]),
  )
})

t.test(
  'a message that the queue cannot take ends the bridge and stays in the stream',
  async (t) => {
    const stream = await newStream(0)
    await js.publish(`${stream}.1`, 'x'.repeat(100_000))
    const queue = openQueue(t, 'sysv')
    const done = pipeline(fromJetStream(js, { stream, consumer: 'c' }), toQueue(queue))
    await t.rejects(done, { code: 'EMSGSIZE' })
    t.equal((await manager.consumers.info(stream, 'c')).ack_floor.stream_seq, 0)
  },
)
