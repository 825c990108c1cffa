/** Readers with `ack: true`: messages leave the kernel when they are acknowledged, not before. */
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { AckFrame, QueueError, SysVQueue } from 'kernelmq'
import t from 'tap'
import { inChild, noNamespace, ownNamespace, runChild } from './fixtures/child.js'
import { drain, openAgain, openQueue } from './fixtures/queues.js'

/** The next frames of a reader, as many as asked for. */
async function take<F = AckFrame>(reader: Readable, count: number): Promise<F[]> {
  const frames: F[] = []
  while (frames.length < count) {
    const frame = reader.read(1)
    if (frame === null) await once(reader, 'readable')
    else frames.push(frame)
  }
  return frames
}

function texts(frames: readonly { data: Buffer }[]): string[] {
  return frames.map(({ data }) => data.toString())
}

async function sendAll(queue: SysVQueue, messages: readonly string[], type = 1): Promise<void> {
  for (const message of messages) await queue.send(message, { type })
}

async function destroyed(reader: Readable): Promise<void> {
  const closed = once(reader, 'close')
  reader.destroy()
  await closed
}

t.test('a message stays in the queue until its frame is acknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b'])
  const [a, b] = await take(queue.readable({ ack: true }), 2)
  t.equal(queue.stats().messages, 2)
  t.equal(a?.ack(), true)
  t.equal(queue.stats().messages, 1)
  t.equal(queue.peek()?.data.toString(), 'b')
  t.equal(b?.ack(), true)
  t.equal(queue.stats().messages, 0)
})

t.test('a second ack of a frame removes nothing more', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b'])
  const [a, b] = await take(queue.readable({ ack: true }), 2)
  a?.ack()
  t.equal(a?.ack(), true)
  t.equal(queue.stats().messages, 1)
  b?.ack()
  await queue.send('c')
  t.equal(b?.ack(), true, 'also where nothing else is in hand')
  t.equal(queue.stats().messages, 1)
})

t.test('an ack that comes early waits for the earlier ones of its type', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b', 'c'])
  const [a, b, c] = await take(queue.readable({ ack: true }), 3)
  c?.ack()
  b?.ack()
  t.equal(queue.stats().messages, 3)
  a?.ack()
  t.equal(queue.stats().messages, 0)
})

t.test('acks of different types do not wait for each other', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a'], 1)
  await sendAll(queue, ['b'], 2)
  const [, b] = await take(queue.readable({ ack: true }), 2)
  b?.ack()
  t.same(drain(queue), [[1, 'a']])
})

t.test('highWaterMark bounds what is handed over unacknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b', 'c', 'd', 'e'])
  const reader = queue.readable({ ack: true, highWaterMark: 2 })
  const [a] = await take(reader, 2)
  for (let i = 0; i < 3; i++) await turn()
  t.equal(reader.read(), null)
  a?.ack()
  t.same(texts(await take(reader, 1)), ['c'])
})

t.test('highWaterMark 0 hands over one at a time', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b'])
  const reader = queue.readable({ ack: true, highWaterMark: 0 })
  const [a] = await take(reader, 1)
  for (let i = 0; i < 3; i++) await turn()
  t.equal(reader.read(), null)
  a?.ack()
  t.same(texts(await take(reader, 1)), ['b'])
})

t.test(
  'acknowledging out of order while new messages come loses none and keeps order',
  async (t) => {
    const queue = openQueue(t, 'sysv')
    const sent = Array.from({ length: 400 }, (_, i) => `${i}`)
    const sending = sendAll(queue, sent)
    const received: string[] = []
    let held: AckFrame[] = []
    const reader = queue.readable({ ack: true })
    for await (const frame of reader) {
      received.push(frame.data.toString())
      held.push(frame)
      if (held.length === 7 || received.length === sent.length) {
        for (const each of held.reverse()) each.ack()
        held = []
      }
      if (received.length === sent.length) break
    }
    await sending
    t.same(received, sent)
    t.equal(queue.stats().messages, 0)
  },
)

t.test(
  'an ack after the stream was destroyed is refused, and the message comes again',
  async (t) => {
    const queue = openQueue(t, 'sysv')
    await sendAll(queue, ['a'])
    const reader = queue.readable({ ack: true })
    const [a] = await take(reader, 1)
    await destroyed(reader)
    t.equal(a?.ack(), false)
    const [again] = await take(queue.readable({ ack: true }), 1)
    t.equal(again?.data.toString(), 'a')
  },
)

t.test('an ack after the queue was closed is refused', async (t) => {
  const queue = openQueue(t, 'sysv')
  const other = openAgain(t, queue)
  await sendAll(queue, ['a'])
  const [a] = await take(queue.readable({ ack: true }), 1)
  await queue.close()
  t.equal(a?.ack(), false)
  t.same(drain(other), [[1, 'a']])
})

t.test('a break out of for await leaves what was not acknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b', 'c'])
  for await (const frame of queue.readable({ ack: true })) {
    frame.ack()
    break
  }
  t.same(drain(queue), [
    [1, 'b'],
    [1, 'c'],
  ])
})

t.test('after stop() and the end what was handed over can still be acknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b'])
  const reader = queue.readable({ ack: true })
  const [a, b] = await take(reader, 2)
  const ended = once(reader, 'close')
  reader.stop()
  reader.resume()
  await ended
  t.equal(a?.ack(), true)
  t.equal(b?.ack(), true)
  t.equal(queue.stats().messages, 0)
})

t.test('after the end too, an ack is refused once the queue was closed', async (t) => {
  const queue = openQueue(t, 'sysv')
  const other = openAgain(t, queue)
  await sendAll(queue, ['a'])
  const reader = queue.readable({ ack: true })
  const [a] = await take(reader, 1)
  const ended = once(reader, 'close')
  reader.stop()
  reader.resume()
  await ended
  await queue.close()
  t.equal(a?.ack(), false)
  t.same(drain(other), [[1, 'a']])
})

t.test('the successor of an ended reader gets what that left unacknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b'])
  const first = queue.readable({ ack: true })
  const [a] = await take(first, 2)
  const ended = once(first, 'close')
  first.stop()
  first.resume()
  await ended
  const second = queue.readable({ ack: true })
  const [again] = await take(second, 2)
  t.equal(a?.ack(), false, 'the message is the successor’s now')
  await sendAll(queue, ['c'])
  again?.ack()
  t.same(
    drain(queue).map(([, text]) => text),
    ['b', 'c'],
  )
})

t.test('a second reader with ack on the same queue is EBUSY until the first is gone', async (t) => {
  const queue = openQueue(t, 'sysv')
  const other = openAgain(t, queue) as SysVQueue
  const first = queue.readable({ ack: true, requeue: false })
  t.throws(() => other.readable({ ack: true }), { code: 'EBUSY' })
  await destroyed(first)
  const second = other.readable({ ack: true })
  t.throws(() => queue.readable({ ack: true }), { code: 'EBUSY' })
  await queue.close()
  t.throws(() => other.readable({ ack: true }), { code: 'EBUSY' })
  await destroyed(second)
})

t.test('a consumer in another process is detected at the next ack', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b', 'c'])
  const reader = queue.readable({ ack: true })
  const [a] = await take(reader, 3)
  const taken = await inChild(({ open }, address) => open(address).tryReceive()?.data.toString(), {
    args: [queue.address],
  })
  t.equal(taken, 'a')
  const failed = once(reader, 'error')
  t.equal(a?.ack(), false)
  t.match((await failed)[0], { code: 'ERR_ACK_CONFLICT', address: queue.address })
  t.same(
    drain(queue).map(([, text]) => text),
    ['b', 'c'],
    'nothing was removed',
  )
})

t.test('a message of another length than the one handed over is put back', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['first', 'second', 'x'])
  const reader = queue.readable({ ack: true })
  const [first, second, third] = await take(reader, 3)
  first?.ack()
  // By this process too, so that msg_lrpid does not tell.
  queue.tryReceive()
  const failed = once(reader, 'error')
  t.equal(second?.ack(), false)
  t.equal(third?.ack(), false, 'nor is what comes after that')
  t.match((await failed)[0], { code: 'ERR_ACK_CONFLICT' })
  t.same(drain(queue), [[1, 'x']])
})

t.test('the queue removed under an idle reader is EIDRM', async (t) => {
  const queue = openQueue(t, 'sysv')
  const reader = queue.readable({ ack: true })
  const failed = once(reader, 'error')
  reader.resume()
  await turn()
  queue.unlink()
  t.match((await failed)[0], { code: 'EIDRM', syscall: 'msgrcv' })
})

t.test('the queue removed under frames in hand is EIDRM, and acks are refused', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b', 'c'])
  const reader = queue.readable({ ack: true, highWaterMark: 3 })
  const [a] = await take(reader, 2)
  queue.unlink()
  const failed = once(reader, 'error')
  t.equal(a?.ack(), false)
  const [error] = (await failed) as [QueueError]
  t.equal(error.code, 'EIDRM')
  t.same(texts(error.frames ?? []), ['c'], 'what nobody had read is on the error')
  t.equal(a?.ack(), false)
})

t.test('the queue removed under a reader that polls behind frames in hand is EIDRM', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a'])
  const reader = queue.readable({ ack: true })
  await take(reader, 1)
  const failed = once(reader, 'error')
  reader.resume()
  queue.unlink()
  t.match((await failed)[0], { code: 'EIDRM' })
})

t.test('a reader of one type passes over the others and leaves them', async (t) => {
  const queue = openQueue(t, 'sysv')
  for (let i = 0; i < 40; i++) await queue.send(`${i}`, { type: 1 + (i % 4) })
  const reader = queue.readable({ ack: true, type: 3, highWaterMark: 4 })
  const received: string[] = []
  for await (const frame of reader) {
    t.equal(frame.type, 3)
    received.push(frame.data.toString())
    frame.ack()
    if (received.length === 10) break
  }
  t.same(received, ['2', '6', '10', '14', '18', '22', '26', '30', '34', '38'])
  const rest = drain(queue)
  t.equal(rest.length, 30)
  t.same(
    rest,
    rest.slice().sort(([, a], [, b]) => Number(a) - Number(b)),
    'in their order',
  )
})

t.test('except passes over one type', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['no'], 1)
  await sendAll(queue, ['yes'], 2)
  const [frame] = await take(queue.readable({ ack: true, type: 1, except: true }), 1)
  t.equal(frame?.data.toString(), 'yes')
  frame?.ack()
  t.same(drain(queue), [[1, 'no']])
})

t.test(
  'a waiting reader finds its message when others that it passed over are removed',
  async (t) => {
    const queue = openQueue(t, 'sysv')
    await sendAll(queue, ['x', 'y', 'z'], 1)
    await queue.send('first', { type: 2 })
    const reader = queue.readable({ ack: true, type: 2 })
    const [first] = await take(reader, 1)
    first?.ack()
    const found = take(reader, 1)
    await turn()
    // This process too: msg_lrpid does not tell.
    queue.clear({ type: 1 })
    await queue.send('wanted', { type: 2 })
    const [frame] = await found
    t.equal(frame?.data.toString(), 'wanted')
    frame?.ack()
    t.equal(queue.stats().messages, 0)
  },
)

t.test(
  'eof: the mark ends the stream and leaves the queue after what came before it',
  async (t) => {
    const queue = openQueue(t, 'sysv')
    await sendAll(queue, ['a', '', 'next'])
    const frames: AckFrame[] = []
    for await (const frame of queue.readable({ ack: true, eof: true })) frames.push(frame)
    t.same(texts(frames), ['a'])
    t.equal(queue.stats().messages, 3)
    frames[0]?.ack()
    t.same(drain(queue), [[1, 'next']])
  },
)

t.test('an empty message in the queue is acknowledged as any other', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['', 'a'])
  const [empty] = await take(queue.readable({ ack: true }), 2)
  t.equal(queue.stats().messages, 2)
  empty?.ack()
  t.same(drain(queue), [[1, 'a']])
})

t.test('an empty message that ended a wait goes back when it was not acknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  const reader = queue.readable({ ack: true })
  const found = take(reader, 1)
  await turn()
  await queue.send('', { type: 5 })
  const [empty] = await found
  t.equal(empty?.data.length, 0)
  await destroyed(reader)
  t.equal(empty?.ack(), false)
  t.same(drain(queue), [[5, '']])
})

t.test('an empty message that ended a wait does not come back when it was', async (t) => {
  const queue = openQueue(t, 'sysv')
  const reader = queue.readable({ ack: true, highWaterMark: 1 })
  const found = take(reader, 1)
  await turn()
  await queue.send('')
  const [empty] = await found
  t.equal(empty?.ack(), true)
  t.equal(empty?.ack(), true, 'a second time too')
  await queue.send('next')
  t.same(texts(await take(reader, 1)), ['next'], 'and the reader goes on')
  await destroyed(reader)
  t.same(drain(queue), [[1, 'next']])
})

t.test('an empty message that ended a wait counts as unacknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  const reader = queue.readable({ ack: true, highWaterMark: 1 })
  const found = take(reader, 1)
  await turn()
  await queue.send('')
  await found
  await queue.send('next')
  for (let i = 0; i < 3; i++) await turn()
  t.equal(reader.read(), null)
})

t.test('an empty message of a type above 2^53-1 fails the reader and goes back', async (t) => {
  const queue = openQueue(t, 'sysv')
  const reader = queue.readable({ ack: true })
  const failed = once(reader, 'error')
  reader.resume()
  await turn()
  await queue.send('', { type: 2n ** 60n })
  t.match((await failed)[0], { code: 'ERR_OUT_OF_RANGE' })
  t.equal(queue.tryReceive({ bigint: true })?.type, 2n ** 60n)
})

t.test('a type above 2^53-1 fails the reader behind what stands before it', async (t) => {
  const queue = openQueue(t, 'sysv')
  await queue.send('a')
  await queue.send('b', { type: 2n ** 60n })
  const reader = queue.readable({ ack: true })
  const frames: AckFrame[] = []
  const failed = once(reader, 'error')
  reader.on('data', (frame) => frames.push(frame))
  t.match((await failed)[0], { code: 'ERR_OUT_OF_RANGE' })
  t.same(texts(frames), ['a'])
  t.equal(queue.stats().messages, 2)
})

t.test('a reader of one type does not mind another type above 2^53-1', async (t) => {
  const queue = openQueue(t, 'sysv')
  await queue.send('b', { type: 2n ** 60n })
  await queue.send('a')
  const [a] = await take(queue.readable({ ack: true, type: 1 }), 1)
  t.equal(a?.data.toString(), 'a')
})

t.test('bigint types are acknowledged too', async (t) => {
  const queue = openQueue(t, 'sysv')
  await queue.send('a', { type: 2n ** 60n })
  const [a] = await take(queue.readable({ ack: true, bigint: true }), 1)
  t.equal(a?.type, 2n ** 60n)
  a?.ack()
  t.equal(queue.stats().messages, 0)
})

t.test('messages of every length up to the longest are handed over whole', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 16384 })
  const reader = queue.readable({ ack: true })
  for (const length of [8192, 1, 255, 256, 257, 1024, 4097, 8192, 3]) {
    await queue.send(Buffer.alloc(length, length % 251))
    const [frame] = await take(reader, 1)
    t.ok(frame?.data.equals(Buffer.alloc(length, length % 251)), `${length} bytes`)
    frame?.ack()
  }
})

t.test(
  'messages longer than msgmax was when the queue was opened are handed over whole',
  { skip: noNamespace },
  async (t) => {
    const lengths = await inChild(
      async ({ open, setLimits }) => {
        const queue = open({ private: true }, { create: true })
        const reader = queue.readable({ ack: true })
        setLimits({ sysv: { msgmax: 60_000, msgmnb: 200_000 } })
        queue.configure({ maxBytes: 200_000 })
        await queue.send(Buffer.alloc(60_000))
        await queue.send(Buffer.alloc(10))
        const lengths: number[] = []
        for await (const frame of reader) {
          lengths.push(frame.data.length)
          frame.ack()
          if (lengths.length === 2) break
        }
        queue.unlink()
        return lengths
      },
      { command: ownNamespace },
    )
    t.same(lengths, [60_000, 10])
  },
)

t.test('a codec decodes, and what does not decode can be acknowledged away', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['{"a":1}', 'not json', '2'])
  const reader = queue.readable({ ack: true, codec: 'json' })
  reader.on('invalid', (_error: Error, frame: AckFrame) => frame.ack())
  const frames = await take<AckFrame<unknown>>(reader, 2)
  t.same(
    frames.map(({ data }) => data),
    [{ a: 1 }, 2],
  )
  for (const frame of frames) frame.ack()
  t.equal(queue.stats().messages, 0)
})

t.test('a consumer with ack hands over frames to be acknowledged', async (t) => {
  const queue = openQueue(t, 'sysv')
  await queue.send('a')
  const consumer = queue.consumer({ ack: true })
  const frame = await new Promise<AckFrame>((resolve) => consumer.once('message', resolve))
  t.equal(queue.stats().messages, 1)
  frame.ack()
  t.equal(queue.stats().messages, 0)
  await consumer.close()
})

t.test('byte mode has no ack, nor has a type below 0', async (t) => {
  const queue = openQueue(t, 'sysv')
  const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
  t.throws(() => queue.readable({ ack: true, objectMode: false }), {
    ...refused,
    message: /"options\.ack"/,
  })
  t.throws(() => queue.readable({ ack: true, type: -1 }), {
    ...refused,
    message: /"options\.type"/,
  })
})

t.test('a POSIX queue has no ack mode', async (t) => {
  t.throws(() => openQueue(t, 'posix').readable({ ack: true }), { code: 'ENOTSUP' })
})

t.test('a consumer killed by SIGKILL loses nothing', async (t) => {
  const queue = openQueue(t, 'sysv')
  await sendAll(queue, ['a', 'b', 'c', 'd'])
  const { signal } = await runChild(
    async ({ open }, address) => {
      let seen = 0
      for await (const frame of (open(address) as SysVQueue).readable({ ack: true })) {
        if (++seen === 1) frame.ack()
        if (seen === 3) process.kill(process.pid, 'SIGKILL')
      }
    },
    { args: [queue.address] },
  )
  t.equal(signal, 'SIGKILL')
  t.same(texts(await take(queue.readable({ ack: true }), 3)), ['b', 'c', 'd'])
})
