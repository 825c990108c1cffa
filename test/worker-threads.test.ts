/** The library in worker threads, where the environment of the addon comes and goes. */
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Test, test } from 'tap'
import { startSource } from './fixtures/processes.js'
import { kinds, openQueue } from './fixtures/queues.js'
import { runTraffic } from './fixtures/run-traffic.js'

/** A thread that receives messages and sends each back with its type, until an empty one comes. */
function startEcho(t: Test, values: { requests: string; replies: string }): Worker {
  const program = `
    const { workerData, parentPort } = require('node:worker_threads')
    import('kernelmq').then(async ({ open, Frame }) => {
      const requests = open(workerData.requests)
      const replies = open(workerData.replies)
      parentPort.postMessage('ready')
      for await (const { type, data } of requests.readable({ eof: true, highWaterMark: 0 })) {
        await replies.send(data, { type })
      }
      await Promise.all([requests.close(), replies.close()])
    })`
  const worker = new Worker(program, { eval: true, workerData: values, execArgv: [] })
  t.teardown(() => worker.terminate())
  return worker
}

for (const kind of kinds) {
  test(`${kind}: threads exchange messages with each other`, async (t) => {
    const requests = openQueue(t, kind)
    const replies = openQueue(t, kind)
    const values = { requests: requests.address, replies: replies.address }
    const workers = [startEcho(t, values), startEcho(t, values), startEcho(t, values)]
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    // One may be at its end while another still answers.
    const ended = Promise.all(workers.map((worker) => once(worker, 'exit')))

    const count = 300
    const sent = Array.from({ length: count }, (_, i) => ({
      type: (i % 5) + 1,
      data: `message ${i}`,
    }))
    const sending = (async () => {
      for (const { type, data } of sent) await requests.send(data, { type })
      // Lowest of all, so that on the POSIX queue too they come last.
      for (const _ of workers) await requests.send('', { type: kind === 'posix' ? 0 : 1 })
    })()
    const received: string[] = []
    for (let i = 0; i < count; i++) {
      const { type, data } = await replies.receive()
      received.push(`${type} ${data}`)
    }
    await sending
    t.strictSame(await ended, [[0], [0], [0]])
    // None ended before its time.
    t.equal(requests.stats().messages, 0)
    t.strictSame(received.sort(), sent.map(({ type, data }) => `${type} ${data}`).sort())
  })

  test(`${kind}: works where only a worker loads the library`, async (t) => {
    const { address } = openQueue(t, kind)
    const program = `
      import { Worker } from 'node:worker_threads'
      const worker = new Worker(\`
        import('kernelmq').then(async ({ open }) => {
          const queue = open(${JSON.stringify(address)})
          const received = queue.receive()
          await queue.send('from a worker')
          console.log(String((await received).data))
          await queue.close()
        })\`, { eval: true })
      worker.on('exit', (code) => { process.exitCode = code })`
    const child = startSource(t, program)
    const { code, signal, stdout, stderr } = await child.outcome
    t.strictSame(
      { code, signal, stdout, stderr },
      {
        code: 0,
        signal: null,
        stdout: 'from a worker\n',
        stderr: '',
      },
    )
  })
}

test('an empty message that a wait took is put back where its worker ends before it could be told', async (t) => {
  const queue = openQueue(t, 'sysv')
  const program = `
    const { readdirSync } = require('node:fs')
    const { parentPort } = require('node:worker_threads')
    const threads = () => readdirSync('/proc/self/task').length
    import('kernelmq').then(({ open }) => {
      const before = threads()
      open(${JSON.stringify(queue.address)}).receive()
      setImmediate(function look() {
        if (threads() === before) return setImmediate(look)
        // From now on the thread that waits cannot tell anybody.
        parentPort.postMessage('deaf')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      })
    })`
  const worker = new Worker(program, { eval: true, execArgv: [] })
  t.teardown(() => worker.terminate())
  await once(worker, 'message')
  await queue.send('', { type: 7 })
  while (queue.stats().messages > 0) await setImmediate()
  await worker.terminate()
  t.match(queue.tryReceive(), { type: 7, data: Buffer.alloc(0) })
})

test('workers terminated in full traffic leave the process alone', async (t) => {
  const { code, signal, stdout, stderr } = await runTraffic(t, 10)
  t.strictSame(
    { code, signal, stdout, stderr },
    { code: 0, signal: null, stdout: '10\n', stderr: '' },
  )
})
