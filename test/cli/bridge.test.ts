import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { open } from 'kernelmq'
import t from 'tap'
import { ended, kmq, printed, startKmq } from '../fixtures/kmq.js'
import { noServer, startServer } from '../fixtures/nats/server.js'
import { drain, openQueue, unusedAddress } from '../fixtures/queues.js'

t.test('bridge, with a server', { skip: noServer }, async (t) => {
  const server = await startServer(t)
  const url = `${server.url}/CLI`

  t.test('carries a queue to a stream and on to another queue', async (t) => {
    const from = openQueue(t, 'sysv')
    const to = unusedAddress(t, 'sysv')
    for (let i = 0; i < 3; i++) from.trySend(`${i}`, { type: 4 })
    const out = startKmq(t, ['bridge', from.address, url, '--journal', join(t.testdir(), 'out')])
    const outEnded = ended(out)
    while (from.stats().messages > 0) await delay(10)
    out.kill('SIGTERM')
    const { code, stderr, text } = await outEnded
    t.equal(code, 0, 'told to stop, it has done what it should')
    t.match(stderr, /kmq: bridging .*\nkmq: 3 messages, 3 bytes\n$/)
    t.equal(text, '')

    const journal = join(t.testdir(), 'in')
    const words = ['--create', '--journal', journal, '--consumer', 'cli', '--window', '8']
    const into = startKmq(t, ['bridge', url, to, ...words])
    const intoEnded = ended(into)
    await printed(into.stderr, 'bridging')
    const queue = open(to)
    while (queue.stats().messages < 3) await delay(10)
    into.kill('SIGINT')
    t.equal((await intoEnded).code, 0)
    t.same(
      drain(queue),
      ['0', '1', '2'].map((data) => [4, data]),
    )
    await queue.close()
  })

  t.test('--quiet says nothing', async (t) => {
    const from = openQueue(t, 'sysv')
    from.trySend('x')
    const journal = join(t.testdir(), 'journal')
    const child = startKmq(t, ['bridge', from.address, url, '--quiet', '--journal', journal])
    const over = ended(child)
    while (from.stats().messages > 0) await delay(10)
    child.kill('SIGTERM')
    t.equal((await over).stderr, '')
  })
})

t.test('a server that does not answer is one line and exit code 1', async (t) => {
  const queue = openQueue(t, 'sysv')
  const { code, stderr } = await kmq(t, ['bridge', queue.address, 'nats://127.0.0.1:1/CLI'])
  t.equal(code, 1)
  t.match(stderr, /^kmq: cannot connect to 127\.0\.0\.1:1: .*ERR_NATS_UNREACHABLE.*\n$/)
})

t.test('two queues, or two streams, are wrong usage', async (t) => {
  for (const words of [
    ['0x5', '0x6'],
    ['nats://a/A', 'nats://b/B'],
    ['0x5', 'nats://a'],
  ]) {
    const { code, stderr } = await kmq(t, ['bridge', ...words])
    t.equal(code, 2)
    t.match(stderr, /^kmq: .*\n$/)
  }
})
