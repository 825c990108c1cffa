/** The slower side sets the pace, and nobody's memory grows for it. */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { fill, kinds, LARGE, openAgain, openQueue } from './fixtures/queues.js'

const DATA = Buffer.alloc(LARGE, 'x')

for (const kind of kinds) {
  t.test(
    `${kind}: write() is false at highWaterMark while the queue is full, and drain follows room`,
    async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const writer = openAgain(t, queue).writable({ highWaterMark: 4 })
      t.same(
        [1, 2, 3, 4].map(() => writer.write(DATA)),
        [true, true, true, false],
      )
      let drained = false
      writer.once('drain', () => {
        drained = true
      })
      for (let i = 0; i < 50; i++) await turn()
      t.equal(drained, false, 'not while the queue is full')
      const drain = once(writer, 'drain')
      queue.clear()
      await drain
      t.ok(drained)
    },
  )

  t.test(`${kind}: a reader that nobody reads takes highWaterMark messages at most`, async (t) => {
    const queue = openQueue(t, kind)
    fill(queue)
    const reader = openAgain(t, queue).readable({ highWaterMark: 3 })
    await once(reader, 'readable')
    for (let i = 0; i < 50; i++) await turn()
    t.equal(queue.stats().messages, 7)
  })

  t.test(`${kind}: a paused consumer takes highWaterMark messages at most`, async (t) => {
    const queue = openQueue(t, kind)
    const consumer = openAgain(t, queue).consumer({ highWaterMark: 2 })
    consumer.on('message', () => consumer.pause())
    fill(queue)
    while (queue.stats().messages === 10) await turn()
    for (let i = 0; i < 50; i++) await turn()
    t.ok(queue.stats().messages >= 10 - 1 - 2, `${queue.stats().messages} are left`)
    await consumer.close()
  })

  t.test(`${kind}: what several writers have waiting arrives as it was written`, async (t) => {
    const queue = openQueue(t, kind)
    fill(queue)
    const sender = openAgain(t, queue)
    const sizes = { frames: LARGE, bytes: 64 * 1024 }
    const written = Object.entries(sizes).flatMap(([mode, size]) =>
      ['a', 'b', 'c', 'd'].map((letter) => {
        const writer = sender.writable({ objectMode: mode === 'frames' })
        const count = (128 * 1024) / size
        for (let i = 0; i < count; i++) writer.write(Buffer.alloc(size, letter))
        return new Promise<string>((resolve) => writer.end(() => resolve(letter)))
      }),
    )
    const lengths: Record<string, number> = {}
    let mixed = 0
    const reader = queue.readable().on('data', ({ data }) => {
      const letter = String.fromCharCode(data[0] as number)
      lengths[letter] = (lengths[letter] ?? 0) + data.length
      if (!data.equals(Buffer.alloc(data.length, letter))) mixed++
    })
    await Promise.all(written)
    while (queue.stats().messages > 0) await turn()
    await turn()
    reader.destroy()
    const each = 2 * 128 * 1024
    t.equal(mixed, 0)
    t.same(lengths, { x: 10 * LARGE, a: each, b: each, c: each, d: each })
  })

  t.test(`${kind}: a flood lets timers have their turn`, async (t) => {
    const queue = openQueue(t, kind)
    let received = 0
    const reader = queue.readable().on('data', () => received++)
    const writer = openAgain(t, queue).writable()
    let flooding = true
    const flood = (async () => {
      while (flooding) await new Promise((resolve) => writer.write(DATA, resolve))
    })()
    // However slow the machine: between two timers only so many messages.
    const between: number[] = []
    for (let i = 0; i < 50; i++) {
      const before = received
      await new Promise((resolve) => setTimeout(resolve, 1))
      between.push(received - before)
    }
    flooding = false
    reader.destroy()
    writer.destroy()
    await flood
    t.ok(received > 50, `${received} messages`)
    t.ok(Math.max(...between) < 5000, `${Math.max(...between)} messages between two timers`)
  })
}
