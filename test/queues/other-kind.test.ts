/** What only the other kind of queue can do. */
import { test } from 'tap'
import { openQueue } from '../fixtures/queues.js'

test('peek on a POSIX queue throws ENOTSUP', (t) => {
  const queue = openQueue(t, 'posix')
  t.throws(() => queue.peek(), { name: 'QueueError', code: 'ENOTSUP', address: queue.address })
  t.end()
})

test('notify on a System V queue rejects with ENOTSUP', async (t) => {
  const queue = openQueue(t, 'sysv')
  const expected = { name: 'QueueError', code: 'ENOTSUP', address: queue.address }
  await t.rejects(queue.notify(), expected)
})
