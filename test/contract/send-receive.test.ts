import { Frame } from 'kernelmq'
import { test } from 'tap'
import { drain, fill, kinds, LARGE, openAgain, openQueue, texts } from '../fixtures/queues.js'
import { settle } from '../fixtures/streams.js'

for (const kind of kinds) {
  const defaultType = kind === 'posix' ? 0 : 1

  test(`${kind}: send and receive`, async (t) => {
    t.test('a message comes out as a Frame with its type and its data', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('hello', { type: 7 })
      const frame = await queue.receive()
      t.ok(frame instanceof Frame)
      t.equal(frame.type, 7)
      t.ok(Buffer.isBuffer(frame.data))
      t.equal(frame.data.toString(), 'hello')
      t.equal(queue.stats().messages, 0)
    })

    t.test(`the type is ${defaultType} where none is given`, async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('a')
      t.ok(queue.trySend('b'))
      t.same(drain(queue), [
        [defaultType, 'a'],
        [defaultType, 'b'],
      ])
    })

    t.test('types may be bigints', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('a', { type: 5n })
      t.equal(queue.tryReceive()?.type, 5)
    })

    t.test(
      'TypeScript knows a type for a number, and with bigint: true for a bigint',
      async (t) => {
        const queue = openQueue(t, kind)
        for (let i = 0; i < 6; i++) await queue.send('x', { type: 5 })
        const number: number = (await queue.receive()).type
        const bigint: bigint = (await queue.receive({ bigint: true })).type
        const maybe: number | undefined = queue.tryReceive()?.type
        const either: number | bigint = (await queue.receive({ bigint: number > 0 })).type
        t.same([number, bigint, maybe, either], [5, 5n, 5, 5n])
        for await (const { type } of queue) {
          const streamed: number = type
          t.equal(streamed, 5)
          break
        }
        for await (const { type } of queue.readable({ bigint: true })) {
          const streamed: bigint = type
          t.equal(streamed, 5n)
          break
        }
      },
    )

    t.test('with bigint: true types are received as bigints', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('a', { type: 5 })
      await queue.send('b', { type: 5 })
      t.equal(queue.tryReceive({ bigint: true })?.type, 5n)
      t.equal((await queue.receive({ bigint: true })).type, 5n)
      const waiting = queue.receive({ bigint: true })
      await queue.send('', { type: 6 })
      t.equal((await waiting).type, 6n)
    })

    t.test('messages of one type come out in the order in which they went in', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      t.same(texts([await queue.receive(), await queue.receive(), await queue.receive()]), [
        'a',
        'b',
        'c',
      ])
    })

    t.test('an empty message is a message', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('', { type: 3 })
      t.ok(queue.trySend(Buffer.alloc(0), { type: 3 }))
      t.equal(queue.stats().messages, 2)
      const frame = await queue.receive()
      t.equal(frame.type, 3)
      t.equal(frame.data.length, 0)
      t.equal(queue.tryReceive()?.data.length, 0)
    })

    t.test('an empty message ends a wait as any other', async (t) => {
      const queue = openQueue(t, kind)
      const waiting = queue.receive()
      await settle()
      await queue.send('', { type: 3 })
      const frame = await waiting
      t.equal(frame.type, 3)
      t.equal(frame.data.length, 0)
    })

    t.test('receive waits for a message', async (t) => {
      const queue = openQueue(t, kind)
      const waiting = queue.receive()
      await settle()
      await openAgain(t, queue).send('late')
      t.equal((await waiting).data.toString(), 'late')
    })

    t.test('receives are served in the order of the calls', async (t) => {
      const queue = openQueue(t, kind)
      const waiting = [queue.receive(), queue.receive(), queue.receive()]
      await settle()
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      t.same(texts(await Promise.all(waiting)), ['a', 'b', 'c'])
    })

    t.test('one message goes to one of two handles, and the other waits on', async (t) => {
      const queue = openQueue(t, kind)
      const other = openAgain(t, queue)
      const waiting = [queue.receive(), other.receive()]
      await settle()
      await queue.send('one')
      t.equal((await Promise.race(waiting)).data.toString(), 'one')
      await queue.send('two')
      t.same(texts(await Promise.all(waiting)).sort(), ['one', 'two'])
    })

    t.test('tryReceive is null where nothing is', async (t) => {
      t.equal(openQueue(t, kind).tryReceive(), null)
    })

    t.test('trySend is false where the queue is full, and sends nothing', async (t) => {
      const queue = openQueue(t, kind)
      t.equal(fill(queue), 10)
      t.equal(queue.trySend(Buffer.alloc(LARGE)), false)
      t.equal(queue.stats().messages, 10)
    })

    t.test('send waits while the queue is full', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      let sent = false
      const sending = queue.send(Buffer.alloc(LARGE, 'l')).then(() => {
        sent = true
      })
      await settle()
      t.equal(sent, false)
      openAgain(t, queue).tryReceive()
      await sending
      t.equal(drain(queue).at(-1)?.[1], 'l'.repeat(LARGE))
    })

    t.test('sends that are not awaited go in the order of the calls', async (t) => {
      const queue = openQueue(t, kind)
      const numbers = Array.from({ length: 50 }, (_, i) => String(i))
      // Long ones and short ones: where a long one waits, a short one would fit.
      const sending = numbers.map((text, i) => queue.send(text.padEnd(i % 3 ? 4 : LARGE)))
      const received: string[] = []
      while (received.length < numbers.length) {
        received.push((await queue.receive()).data.toString().trim())
      }
      await Promise.all(sending)
      t.same(received, numbers)
    })

    t.test('awaited and other sends keep one order', async (t) => {
      const queue = openQueue(t, kind)
      const first = queue.send('a')
      await queue.send('b')
      queue.send('c')
      t.ok(queue.trySend('d'))
      await first
      t.same(
        drain(queue).map(([, text]) => text),
        ['a', 'b', 'c', 'd'],
      )
    })

    t.test('trySend does not overtake a send that waits', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const waiting = queue.send(Buffer.alloc(LARGE))
      // Room for a small message on a System V queue: the large one does not fit yet.
      if (kind === 'sysv') {
        queue.tryReceive()
        await settle(0)
      }
      t.equal(queue.trySend('small'), false)
      queue.tryReceive()
      await waiting
    })

    t.test('frames keep their data when others are received after them', async (t) => {
      const queue = openQueue(t, kind)
      const frames: Frame[] = []
      for (let i = 0; i < 1000; i++) {
        await queue.send(String(i).padEnd(LARGE))
        frames.push(await queue.receive())
      }
      t.ok(frames.every(({ data }, i) => data.toString() === String(i).padEnd(LARGE)))
    })

    t.test('clear discards what is queued and says how many', async (t) => {
      const queue = openQueue(t, kind)
      t.equal(queue.clear(), 0)
      for (const text of ['a', '', 'c', '', '']) await queue.send(text)
      t.equal(queue.clear(), 5)
      t.equal(queue.stats().messages, 0)
    })

    t.test('for await over a queue yields its frames', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      const seen: string[] = []
      for await (const frame of queue) {
        seen.push(frame.data.toString())
        if (seen.length === 2) break
      }
      t.same(seen, ['a', 'b'])
      await settle()
      t.same(
        drain(queue).map(([, text]) => text),
        ['c'],
        'what was not handed over is back in the queue',
      )
    })
  })

  test(`${kind}: messages too long`, async (t) => {
    t.test('a message as long as maxMessageSize goes', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send(Buffer.alloc(queue.maxMessageSize, 'm'))
      t.equal((await queue.receive()).data.length, queue.maxMessageSize)
    })

    t.test('a longer one is EMSGSIZE, with a hint', async (t) => {
      const queue = openQueue(t, kind)
      const refused = {
        name: 'QueueError',
        code: 'EMSGSIZE',
        syscall: kind === 'posix' ? 'mq_send' : 'msgsnd',
        address: queue.address,
        hint: new RegExp(`${queue.maxMessageSize + 1} bytes are above`),
      }
      const data = Buffer.alloc(queue.maxMessageSize + 1)
      await t.rejects(queue.send(data), refused)
      t.throws(() => queue.trySend(data), refused)
      t.equal(queue.stats().messages, 0)
    })

    t.test('the length is that of the bytes, not of the characters', async (t) => {
      const queue = openQueue(t, kind)
      const text = 'ü'.repeat(queue.maxMessageSize / 2)
      await queue.send(text)
      t.equal((await queue.receive()).data.toString(), text)
      await t.rejects(queue.send(`${text}ü`), { code: 'EMSGSIZE' })
    })

    t.test('it is EMSGSIZE also where the queue is full, and does not wait', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      await t.rejects(queue.send(Buffer.alloc(queue.maxMessageSize + 1)), { code: 'EMSGSIZE' })
    })

    t.test('it disturbs neither the sends before it nor those after it', async (t) => {
      const queue = openQueue(t, kind)
      const before = queue.send('before')
      const long = queue.send(Buffer.alloc(queue.maxMessageSize + 1))
      const after = queue.send('after')
      await t.rejects(long, { code: 'EMSGSIZE' })
      await Promise.all([before, after])
      t.same(
        drain(queue).map(([, text]) => text),
        ['before', 'after'],
      )
    })
  })
}
