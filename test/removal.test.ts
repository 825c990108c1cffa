/** A System V queue removed, or shrunk, under those who wait on it. */
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import type { QueueError, SysVQueue } from 'kernelmq'
import t, { type Test } from 'tap'
import { fill, LARGE, openQueue } from './fixtures/queues.js'

const ROUNDS = 200

/** Removes a queue under a wait, many times; says how long the error took to come. */
async function removeUnder(
  t: Test,
  wait: (queue: SysVQueue) => Promise<unknown>,
  syscall: string,
): Promise<void> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const queue = openQueue(t, 'sysv')
    const failed = wait(queue).then(
      () => undefined,
      (error: QueueError) => error,
    )
    // Some are removed before the wait has reached the kernel, most after.
    for (let turns = round % 40; turns > 0; turns--) await turn()
    const started = performance.now()
    queue.unlink()
    const error = await failed
    times.push(performance.now() - started)
    t.match(error, { code: 'EIDRM', syscall, address: queue.address }, `round ${round}`)
    await queue.close()
  }
  times.sort((a, b) => a - b)
  const [median, most] = [times[ROUNDS >> 1], times.at(-1)] as [number, number]
  t.comment(`EIDRM after ${median.toFixed(2)} ms (median), ${most.toFixed(2)} ms (longest)`)
}

t.test('removed under a receive that waits', (t) =>
  removeUnder(t, (queue) => queue.receive(), 'msgrcv'),
)

t.test('removed under a send that waits', (t) =>
  removeUnder(
    t,
    (queue) => {
      fill(queue)
      return queue.send(Buffer.alloc(LARGE))
    },
    'msgsnd',
  ),
)

t.test('removed under a readable that waits', (t) =>
  removeUnder(
    t,
    async (queue) => {
      const reader = queue.readable().resume()
      throw (await once(reader, 'error').then(([error]) => error)) as Error
    },
    'msgrcv',
  ),
)

t.test('removed under a writable that waits', (t) =>
  removeUnder(
    t,
    async (queue) => {
      fill(queue)
      const writer = queue.writable()
      writer.write(Buffer.alloc(LARGE))
      throw (await once(writer, 'error').then(([error]) => error)) as Error
    },
    'msgsnd',
  ),
)

t.test('a message that shrunk msg_qbytes leave no room for, ever, is EMSGSIZE', async (t) => {
  const queue = openQueue(t, 'sysv')
  fill(queue)
  const sent = queue.send(Buffer.alloc(LARGE))
  await turn()
  queue.configure({ maxBytes: LARGE - 1 })
  await t.rejects(sent, { code: 'EMSGSIZE', syscall: 'msgsnd' })
})

t.test('a message that still fits shrunk msg_qbytes waits on, and goes', async (t) => {
  const queue = openQueue(t, 'sysv')
  fill(queue)
  const sent = queue.send(Buffer.alloc(LARGE, 'y'), { type: 2 })
  await turn()
  queue.configure({ maxBytes: LARGE })
  // Only those: the one that waits may be in the queue as soon as there is room.
  t.equal(queue.clear({ type: 1 }), 10)
  await sent
  t.equal((await queue.receive()).data.toString(), 'y'.repeat(LARGE))
})

t.test('a queue that grows lets the one who waits go on', async (t) => {
  const queue = openQueue(t, 'sysv')
  fill(queue)
  const sent = queue.send(Buffer.alloc(LARGE))
  await turn()
  queue.configure({ maxBytes: 16 * LARGE })
  await sent
  t.equal(queue.stats().messages, 11)
})
