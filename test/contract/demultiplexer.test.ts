import { Demultiplexer, type Frame, type QueueError } from 'kernelmq'
import { test } from 'tap'
import { inChild } from '../fixtures/child.js'
import { drain, fill, kinds, openAgain, openQueue, texts } from '../fixtures/queues.js'
import { all, failure, settle, take, until } from '../fixtures/streams.js'

for (const kind of kinds) {
  test(`${kind}: demultiplexer`, async (t) => {
    t.test('hands each type to its stream', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      t.ok(demux instanceof Demultiplexer)
      const streams = [1, 2, 3].map((type) => demux.readable(type))
      const reading = streams.map((stream) => take<Frame>(stream, 2))
      for (const text of ['a', 'b']) {
        for (const type of [3, 1, 2]) await queue.send(`${text}${type}`, { type })
      }
      for (const [i, frames] of (await Promise.all(reading)).entries()) {
        t.same(texts(frames), [`a${i + 1}`, `b${i + 1}`])
        t.ok(frames.every(({ type }) => type === i + 1))
      }
      await demux.close()
    })

    t.test('claims may be arrays, functions and bigints', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const reading = [
        take<Frame>(demux.readable([1, 2]), 2),
        take<Frame>(
          demux.readable((type) => type > 100),
          2,
        ),
        take<Frame>(demux.readable(7n), 1),
      ]
      for (const type of [1, 101, 2, 7, 200]) await queue.send(String(type), { type })
      const seen = (await Promise.all(reading)).map((frames) => texts(frames).sort())
      t.same(seen, [['1', '2'], ['101', '200'], ['7']])
      await demux.close()
    })

    t.test('the first stream that claims a type has it', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const first = demux.readable(1)
      const second = demux.readable(() => true)
      second.on('data', () => t.fail('the first one claims it'))
      await queue.send('x', { type: 1 })
      t.same(texts(await take<Frame>(first, 1)), ['x'])
      await demux.close()
    })

    t.test('hold: a frame that nobody claims is told and waits', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const told: Frame[] = []
      demux.on('unclaimed', (frame) => told.push(frame))
      for (const text of ['a', 'b']) await queue.send(text, { type: 5 })
      await until(() => told.length === 2)
      t.same(texts(told), ['a', 'b'])
      t.equal(demux.held, 2)
      t.same(texts(await take<Frame>(demux.readable(5), 2)), ['a', 'b'])
      t.equal(demux.held, 0)
      await demux.close()
    })

    t.test('hold: the loop pauses when highWaterMark are held, and goes on', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex({ highWaterMark: 3 })
      for (let i = 0; i < 8; i++) await queue.send(`m${i}`, { type: 5 })
      await until(() => demux.held === 3)
      await settle()
      t.equal(demux.held, 3)
      t.ok(queue.stats().messages >= 2, 'all but what is held and taken ahead is in the queue')
      const frames = await take<Frame>(demux.readable(5), 8)
      t.same(
        texts(frames),
        Array.from({ length: 8 }, (_, i) => `m${i}`),
      )
      await demux.close()
    })

    t.test('hold: the loop pauses at 16 where no highWaterMark is given', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const sending = Array.from({ length: 40 }, () => queue.send('x', { type: 5 }))
      await until(() => demux.held >= 16)
      await settle()
      t.equal(demux.held, 16)
      t.equal((await take(demux.readable(5), 40)).length, 40)
      await Promise.all(sending)
      await demux.close()
    })

    t.test('discard: a frame that nobody claims is told and dropped', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex({ unclaimed: 'discard', highWaterMark: 1 })
      let told = 0
      demux.on('unclaimed', () => told++)
      for (let i = 0; i < 8; i++) await queue.send('x', { type: 5 })
      await until(() => told === 8)
      t.equal(demux.held, 0)
      await queue.send('claimed', { type: 6 })
      t.same(texts(await take<Frame>(demux.readable(6), 1)), ['claimed'])
      await demux.close()
      t.equal(openAgain(t, queue).stats().messages, 0)
    })

    t.test('a consumer that falls behind pauses the loop', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex({ highWaterMark: 2 })
      const slow = demux.readable(5)
      for (let i = 0; i < 8; i++) await queue.send(`m${i}`, { type: 5 })
      await until(() => slow.readableLength === 2)
      await settle()
      t.equal(slow.readableLength, 2)
      t.ok(queue.stats().messages >= 4)
      t.equal((await take<Frame>(slow, 8)).length, 8)
      await demux.close()
    })

    t.test('what a destroyed stream has not read goes to the others', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const gone = demux.readable(5)
      const heir = demux.readable((type) => type >= 5)
      for (const text of ['a', 'b', 'c']) await queue.send(text, { type: 5 })
      await until(() => gone.readableLength === 3)
      gone.destroy()
      t.same(texts(await take<Frame>(heir, 3)), ['a', 'b', 'c'])
      await demux.close()
    })

    t.test('close puts back what nobody has read, and the streams end', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex({ highWaterMark: 4 })
      let closed = false
      demux.on('close', () => {
        closed = true
      })
      const stream = demux.readable(5)
      for (const type of [5, 6, 5, 6]) await queue.send(String(type), { type })
      await until(() => stream.readableLength === 2 && demux.held === 2)
      await demux.close()
      t.equal(closed, true)
      t.same(await all(stream), [])
      t.same(drain(queue).map(String).sort(), ['5,5', '5,5', '6,6', '6,6'])
      t.throws(() => demux.readable(1), { code: 'ERR_STREAM_DESTROYED' })
      await demux.close()
      t.equal(queue.closed, false, 'the queue is open')
      await queue.close()
      t.throws(() => demux.readable(1), { code: 'ERR_QUEUE_CLOSED' })
    })

    t.test('close: frames that do not fit back are on the error', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      fill(queue, 5)
      await until(() => demux.held === 10)
      fill(queue, 6)
      const error: QueueError = await demux.close().then(
        () => t.fail('no error'),
        (error) => error,
      )
      t.match(error, { name: 'QueueError', code: 'ERR_FRAMES_LOST' })
      t.equal(error.frames?.length, 10)
    })

    t.test('closing the queue: frames that do not fit back are its error', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const failed = new Promise<QueueError>((resolve) => {
        demux.on('error', (error) => resolve(error as QueueError))
      })
      fill(queue, 5)
      await until(() => demux.held === 10)
      fill(queue, 6)
      await queue.close()
      t.match(await failed, { code: 'ERR_FRAMES_LOST', frames: { length: 10 } })
    })

    for (const close of ['demux', 'queue'] as const) {
      t.test(`${close}.close() puts back first what came first`, async (t) => {
        const queue = openQueue(t, kind)
        const again = openAgain(t, queue)
        const demux = queue.demultiplex({ highWaterMark: 2 })
        for (let i = 1; i <= 6; i++) await queue.send(String(i))
        await until(() => demux.held === 2 && queue.stats().messages === 2)
        await (close === 'demux' ? demux.close() : queue.close())
        t.equal(
          drain(again)
            .map(([, text]) => text)
            .join(''),
          '561234',
        )
      })
    }

    t.test(
      'close: what its loop has ahead and does not fit back is on the error too',
      async (t) => {
        const queue = openQueue(t, kind)
        const demux = queue.demultiplex({ highWaterMark: 2 })
        fill(queue, 5)
        await until(() => demux.held === 2 && queue.stats().messages === 6)
        fill(queue, 5)
        await t.rejects(demux.close(), { code: 'ERR_FRAMES_LOST', frames: { length: 4 } })
      },
    )

    t.test('closing the queue closes it', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const reading = all(demux.readable(5))
      await queue.send('x', { type: 6 })
      await until(() => demux.held === 1)
      await queue.close()
      t.same(await reading, [])
      t.equal(openAgain(t, queue).stats().messages, 1)
    })

    t.test('an error that nobody listens to is thrown', async (t) => {
      const queue = openQueue(t, kind)
      const code = await inChild(
        async ({ open }, address: string) => {
          // The descriptor, or the queue, is gone from under it.
          const queue = open(address, { access: 'write' })
          const thrown = new Promise<string>((resolve) => {
            process.on('uncaughtException', (error: NodeJS.ErrnoException) =>
              resolve(String(error.code)),
            )
          })
          queue.demultiplex()
          return thrown
        },
        { args: [queue.address] },
      )
      t.equal(code, 'EBADF')
    })

    t.test('wrong claims and options are refused', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      for (const claim of [undefined, null, '1', {}, [], [1, '2'], true]) {
        t.throws(() => demux.readable(claim as never), {
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_TYPE',
          message: /"claim"/,
        })
      }
      for (const claim of [1.5, Number.NaN, -1, [1, -1], 2n ** 70n, 2 ** 60]) {
        t.throws(() => demux.readable(claim as never), {
          name: 'RangeError',
          code: 'ERR_OUT_OF_RANGE',
          message: /"claim"/,
        })
      }
      await demux.close()
      for (const [option, value] of [
        ['highWaterMark', 0],
        ['highWaterMark', '1'],
        ['unclaimed', 'keep'],
        ['highwatermark', 1],
      ] as const) {
        t.throws(() => queue.demultiplex({ [option]: value }), {
          code: /^ERR_/,
          message: new RegExp(`"options\\.${option}"`),
        })
      }
    })

    t.test('a claim that throws fails its stream, and the frame is for the others', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const claiming = demux.readable(() => {
        throw new Error('its claim')
      })
      const other = demux.readable(6)
      const failed = failure(claiming)
      await queue.send('x', { type: 6 })
      t.match(await failed, { message: 'its claim' })
      t.same(texts(await take<Frame>(other, 1)), ['x'])
      await demux.close()
    })

    t.test('a failing stream of its own is not the end of the others', async (t) => {
      const queue = openQueue(t, kind)
      const demux = queue.demultiplex()
      const failing = demux.readable(5)
      const other = demux.readable(6)
      const failed = failure(failing)
      failing.destroy(new Error('its own'))
      t.match(await failed, { message: 'its own' })
      await queue.send('x', { type: 6 })
      t.same(texts(await take<Frame>(other, 1)), ['x'])
      await demux.close()
    })
  })
}

test('sysv: a queue removed under a demultiplexer fails all its streams', async (t) => {
  const queue = openQueue(t, 'sysv')
  const demux = queue.demultiplex()
  const error = new Promise<Error>((resolve) => demux.once('error', resolve))
  const failed = [failure(demux.readable(1)), failure(demux.readable(2))]
  await settle()
  queue.unlink()
  t.match(await error, { code: 'EIDRM' })
  for (const each of failed) t.match(await each, { code: 'EIDRM' })
})
