/** A demultiplexer whose queue is removed under it. */
import { once } from 'node:events'
import { test } from 'tap'
import { openQueue } from '../fixtures/queues.js'

test('a demultiplexer and its queue can be closed after the queue was removed', async (t) => {
  const queue = openQueue(t, 'sysv')
  const demultiplexer = queue.demultiplex()
  const output = demultiplexer.readable(1)
  const failed = new Promise<Error>((resolve) => demultiplexer.on('error', resolve))
  const outputFailed = once(output, 'error')
  queue.unlink()
  t.match(await failed, { code: 'EIDRM' })
  t.match(await outputFailed, [{ code: 'EIDRM' }])
  await demultiplexer.close()
  await queue.close()
  t.ok(queue.closed)
})
