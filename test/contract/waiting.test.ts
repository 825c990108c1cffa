import { getEventListeners } from 'node:events'
import { AbortError, QueueError } from 'kernelmq'
import { test } from 'tap'
import { drain, fill, kinds, LARGE, openQueue } from '../fixtures/queues.js'
import { settle } from '../fixtures/streams.js'

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length
}

for (const kind of kinds) {
  test(`${kind}: timeouts`, async (t) => {
    t.test('a receive whose time is over rejects with ETIMEDOUT', async (t) => {
      const queue = openQueue(t, kind)
      const syscall = kind === 'posix' ? 'mq_receive' : 'msgrcv'
      for (const timeout of [0, 5]) {
        const error = await queue.receive({ timeout }).catch((error) => error)
        t.ok(error instanceof QueueError)
        t.match(error, { code: 'ETIMEDOUT', syscall, address: queue.address })
        t.equal(typeof error.errno, 'number')
      }
    })

    t.test('the time is in milliseconds', async (t) => {
      const queue = openQueue(t, kind)
      const order: string[] = []
      // Timers of one turn fire in the order of their times, however late.
      const over = new Promise<void>((resolve) => {
        setTimeout(() => order.push('30 ms'), 30)
        setTimeout(() => {
          order.push('50 ms')
          resolve()
        }, 50)
      })
      await t.rejects(
        queue.receive({ timeout: 40 }).finally(() => order.push('timeout')),
        { code: 'ETIMEDOUT' },
      )
      await over
      t.same(order, ['30 ms', 'timeout', '50 ms'])
    })

    t.test('what comes after the time is over stays in the queue', async (t) => {
      const queue = openQueue(t, kind)
      await t.rejects(queue.receive({ timeout: 1 }), { code: 'ETIMEDOUT' })
      for (const text of ['a', '']) await queue.send(text)
      await settle()
      t.equal(queue.stats().messages, 2)
    })

    t.test('a message that is there comes without waiting', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('there')
      t.equal((await queue.receive({ timeout: 0 })).data.toString(), 'there')
    })

    t.test('a message in time is received, and the timer is gone', async (t) => {
      const queue = openQueue(t, kind)
      const waiting = queue.receive({ timeout: 2 ** 31 - 1 })
      await settle()
      await queue.send('in time')
      t.equal((await waiting).data.toString(), 'in time')
      const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout')
      // tap has one, too.
      t.ok(timers.length <= 1, `${timers.length} timers`)
    })

    t.test('an infinite timeout is none', async (t) => {
      const queue = openQueue(t, kind)
      const waiting = queue.receive({ timeout: Number.POSITIVE_INFINITY })
      await settle()
      await queue.send('x')
      t.equal((await waiting).data.toString(), 'x')
    })

    t.test('a send whose time is over rejects with ETIMEDOUT and is not sent', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const syscall = kind === 'posix' ? 'mq_send' : 'msgsnd'
      await t.rejects(queue.send(Buffer.alloc(LARGE, 'l'), { timeout: 5 }), {
        name: 'QueueError',
        code: 'ETIMEDOUT',
        syscall,
      })
      await queue.receive()
      await queue.send('next')
      t.same(
        drain(queue).map(([, text]) => text.slice(0, 4)),
        [...Array(9).fill('xxxx'), 'next'],
      )
    })

    t.test('sends behind one that is given up go in their order', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const given = queue.send(Buffer.alloc(LARGE, 'g'), { timeout: 5 })
      const others = ['a', 'b', 'c'].map((text) => queue.send(text.repeat(LARGE)))
      await t.rejects(given, { code: 'ETIMEDOUT' })
      for (let i = 0; i < 3; i++) await queue.receive()
      await Promise.all(others)
      t.same(
        drain(queue).map(([, text]) => text[0]),
        [...Array(7).fill('x'), 'a', 'b', 'c'],
      )
    })

    t.test('a send that is given up behind another one leaves that one alone', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const first = queue.send('first'.padEnd(LARGE))
      await t.rejects(queue.send('second', { timeout: 1 }), { code: 'ETIMEDOUT' })
      await queue.receive()
      await first
      t.same(
        drain(queue).map(([, text]) => text.trim()),
        [...Array(9).fill('x'.repeat(LARGE)), 'first'],
      )
    })
  })

  test(`${kind}: AbortSignal`, async (t) => {
    t.test('aborted before: nothing is received and nothing sent', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('there')
      const signal = AbortSignal.abort()
      const aborted = { name: 'AbortError', code: 'ABORT_ERR' }
      await t.rejects(queue.receive({ signal }), aborted)
      await t.rejects(queue.send('x', { signal }), aborted)
      t.same(
        drain(queue).map(([, text]) => text),
        ['there'],
      )
    })

    t.test('aborted later: the receive rejects with an AbortError for that reason', async (t) => {
      const queue = openQueue(t, kind)
      const controller = new AbortController()
      const waiting = queue.receive({ signal: controller.signal })
      await settle()
      controller.abort('because')
      const error = await waiting.catch((error) => error)
      t.ok(error instanceof AbortError)
      t.match(error, { name: 'AbortError', code: 'ABORT_ERR', cause: 'because' })
    })

    t.test('an aborted receive takes no message any more', async (t) => {
      const queue = openQueue(t, kind)
      for (const text of ['a', '']) {
        const controller = new AbortController()
        const waiting = queue.receive({ signal: controller.signal })
        await settle()
        controller.abort()
        await t.rejects(waiting, { name: 'AbortError' })
        await queue.send(text)
        await settle()
        t.equal(queue.stats().messages, 1)
        queue.clear()
      }
    })

    t.test('a message that comes with the abort is received or in the queue', async (t) => {
      const queue = openQueue(t, kind)
      for (let i = 0; i < 100; i++) {
        const controller = new AbortController()
        const waiting = queue.receive({ signal: controller.signal }).catch(() => null)
        if (i % 2) await settle(1)
        const sending = queue.send(i % 3 ? 'x' : '')
        controller.abort()
        await sending
        const received = await waiting
        await settle(1)
        if (received === null) await queue.receive({ timeout: 5000 })
        if (queue.tryReceive() !== null) t.fail('one message came twice')
      }
      t.equal(queue.stats().messages, 0)
    })

    t.test('of several receives only the aborted one is given up', async (t) => {
      const queue = openQueue(t, kind)
      const controller = new AbortController()
      const aborted = queue.receive({ signal: controller.signal })
      const other = queue.receive()
      await settle()
      controller.abort()
      await t.rejects(aborted, { name: 'AbortError' })
      await queue.send('for the other')
      t.equal((await other).data.toString(), 'for the other')
    })

    t.test('an aborted send is not sent', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const controller = new AbortController()
      const sending = queue.send(Buffer.alloc(LARGE, 'a'), { signal: controller.signal })
      await settle()
      controller.abort()
      await t.rejects(sending, { name: 'AbortError' })
      t.equal(drain(queue).length, 10)
      await settle()
      t.equal(queue.stats().messages, 0)
    })

    t.test('aborted after: nothing happens', async (t) => {
      const queue = openQueue(t, kind)
      const controller = new AbortController()
      await queue.send('x', { signal: controller.signal })
      t.equal((await queue.receive({ signal: controller.signal })).data.toString(), 'x')
      controller.abort()
    })

    t.test('no wait leaves a listener on its signal', async (t) => {
      const queue = openQueue(t, kind)
      const { signal } = new AbortController()
      await queue.send('x', { signal })
      await queue.receive({ signal })
      const waiting = Array.from({ length: 5 }, () => queue.receive({ signal }))
      await settle()
      t.equal(listeners(signal), 5)
      for (let i = 0; i < 5; i++) await queue.send('x')
      await Promise.all(waiting)
      await t.rejects(queue.receive({ signal, timeout: 1 }), { code: 'ETIMEDOUT' })
      fill(queue)
      await t.rejects(queue.send('x'.repeat(LARGE), { signal, timeout: 1 }), { code: 'ETIMEDOUT' })
      await t.rejects(queue.send(Buffer.alloc(queue.maxMessageSize + 1), { signal }), {
        code: 'EMSGSIZE',
      })
      t.equal(listeners(signal), 0)
    })

    t.test('closing leaves no listener on a signal', async (t) => {
      const queue = openQueue(t, kind)
      const { signal } = new AbortController()
      const waiting = queue.receive({ signal })
      await settle()
      await Promise.all([queue.close(), t.rejects(waiting, { code: 'ERR_QUEUE_CLOSED' })])
      t.equal(listeners(signal), 0)
    })
  })
}
