import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type MessageQueue, open } from 'kernelmq'
import t from 'tap'
import { AcknowledgingSource } from '../../src/cli/sources.js'
import { inChild } from '../fixtures/child.js'
import {
  cleanEnvironment,
  ended,
  kmq,
  type Link,
  links,
  main,
  over,
  printed,
  startKmq,
} from '../fixtures/kmq.js'
import { drain, fill, kinds, openQueue, type Test, unusedAddress } from '../fixtures/queues.js'

function send(queue: MessageQueue, ...messages: (string | Buffer)[]): void {
  for (const message of messages) queue.trySend(message)
}

/** A recv that has written one message and lost its reader then, and how it will have ended. */
async function loseReader(t: Test, queue: MessageQueue, link: Link) {
  const child = startKmq(t, ['recv', queue.address], { link })
  const closed = once(child, 'close')
  send(queue, 'one')
  await printed(child.stdout, 'one\n')
  child.stdout.destroy()
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  return { child, result: closed.then(([code]) => ({ code, said })) }
}

for (const [kind, link] of kinds.flatMap((kind) => links.map((link) => [kind, link] as const))) {
  t.test(`${kind}, ${link}`, async (t) => {
    const { kmq, startKmq } = over(link)

    t.test('messages are written as lines until SIGTERM, exit code 0', async (t) => {
      const queue = openQueue(t, kind)
      const child = startKmq(t, ['recv', queue.address])
      const result = ended(child)
      send(queue, 'one')
      await printed(child.stdout, 'one\n')
      send(queue, 'two')
      await printed(child.stdout, 'two\n')
      child.kill('SIGTERM')
      t.match(await result, { code: 0, text: 'one\ntwo\n', stderr: '' })
    })

    t.test('--count exits after so many messages and takes no more', async (t) => {
      const queue = openQueue(t, kind)
      send(queue, 'a', 'b', 'c')
      t.match(await kmq(t, ['recv', queue.address, '--count', '2']), { code: 0, text: 'a\nb\n' })
      t.equal(drain(queue).length, 1)
    })

    t.test('--drain exits when the queue is empty', async (t) => {
      const queue = openQueue(t, kind)
      send(queue, 'a', 'b')
      t.match(await kmq(t, ['recv', queue.address, '--drain']), { code: 0, text: 'a\nb\n' })
    })

    t.test('--eof exits at an empty message and takes nothing behind it', async (t) => {
      const queue = openQueue(t, kind)
      send(queue, 'a', '', 'behind')
      t.match(await kmq(t, ['recv', queue.address, '--eof']), { code: 0, text: 'a\n' })
      t.equal(drain(queue).length, 1)
    })

    t.test('--create makes the queue', async (t) => {
      const address = unusedAddress(t, kind)
      const { code } = await kmq(t, ['recv', address, '--create', '--drain'])
      t.equal(code, 0)
      t.equal(open(address).address, address)
    })

    t.test('a signal before the end that was asked for is exit code 128 + n', async (t) => {
      const queue = openQueue(t, kind)
      const child = startKmq(t, ['recv', queue.address, '--count', '2'])
      const result = ended(child)
      send(queue, 'one')
      await printed(child.stdout, 'one\n')
      child.kill('SIGINT')
      t.equal((await result).code, 130)
    })

    t.test('what the reader of a pipe does not take is put back', async (t) => {
      const queue = openQueue(t, kind)
      // The pipe is full before recv writes to it, and nobody reads.
      const script = `{
        dd if=/dev/zero bs=4096 count=1000 oflag=nonblock 2>/dev/null
        exec "$0" "$1" recv ${queue.address}
      } | exec sleep 1000`
      const shell = spawn('sh', ['-c', script, process.execPath, main], {
        env: cleanEnvironment,
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      })
      t.teardown(() => process.kill(-(shell.pid as number), 'SIGKILL'))
      send(queue, 'a', 'b', 'c')
      while (queue.stats().messages === 3) await setImmediate()
      process.kill(childOf(shell.pid as number), 'SIGTERM')
      const said = await printed(shell.stderr, 'put back')
      t.match(said, /^kmq: [123] messages? put back\n$/)
      t.same(
        drain(queue)
          .map(([, text]) => text)
          .sort(),
        ['a', 'b', 'c'],
      )
    })

    t.test('a broken pipe is exit code 141, and nothing is taken after it', async (t) => {
      const queue = openQueue(t, kind)
      const { result } = await loseReader(t, queue, link)
      await queue.send('two')
      t.same(await result, { code: 141, said: 'kmq: 1 message put back\n' })
      t.same(
        drain(queue).map(([, text]) => text),
        ['two'],
      )
    })
  })
}

/** The process of `kmq` below a shell. */
function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return Number(children.find((child) => /kmq/.test(readFileSync(`/proc/${child}/comm`, 'utf8'))))
}

t.test('the removal of the queue ends recv with exit code 1', async (t) => {
  const queue = openQueue(t, 'sysv')
  const child = startKmq(t, ['recv', queue.address])
  const result = ended(child)
  send(queue, 'one')
  await printed(child.stdout, 'one\n')
  queue.unlink()
  const { code, stderr } = await result
  t.equal(code, 1)
  t.match(stderr, /^kmq: the queue was removed \(EIDRM[^\n]+\n$/)
})

t.test('an inherited descriptor is received from', async (t) => {
  const queue = openQueue(t, 'posix')
  send(queue, 'passed on')
  const child = spawn(process.execPath, [main, 'recv', 'posix:fd=3', '--drain'], {
    env: cleanEnvironment,
    stdio: ['pipe', 'pipe', 'pipe', queue.fd],
  })
  t.match(await ended(child as ReturnType<typeof startKmq>), { code: 0, text: 'passed on\n' })
})

t.test('a fifo whose reader has gone is a broken pipe', async (t) => {
  const queue = openQueue(t, 'posix')
  send(queue, 'one')
  const fifo = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [fifo])
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(fifo, 'w')
  closeSync(reader)
  const child = spawn(process.execPath, [main, 'recv', queue.address], {
    env: cleanEnvironment,
    stdio: ['ignore', writer, 'ignore'],
  })
  closeSync(writer)
  t.same(await once(child, 'close'), [141, null])
  t.same(drain(queue), [[0, 'one']])
})

t.test('--ack takes a message only when it has been written', async (t) => {
  const queue = openQueue(t, 'sysv')
  send(queue, 'a', 'b', 'c')
  const args = ['recv', queue.address, '--ack', '--drain']
  t.match(await kmq(t, args), { code: 0, text: 'a\nb\nc\n' })
  t.equal(queue.stats().messages, 0)
})

t.test('--ack --eof takes the end and nothing behind it', async (t) => {
  const queue = openQueue(t, 'sysv')
  send(queue, 'a', '', 'behind')
  t.match(await kmq(t, ['recv', queue.address, '--ack', '--eof']), { code: 0, text: 'a\n' })
  t.same(drain(queue), [[1, 'behind']])
})

t.test('--ack fails at its last batch too where another consumer took it meanwhile', async (t) => {
  const queue = openQueue(t, 'sysv')
  send(queue, 'a')
  // kmq does this between two system calls: there is no catching it there.
  const source = new AcknowledgingSource(queue as never, {})
  const frames = await source.next(1, new AbortController().signal)
  await inChild(({ open }, address) => open(address).tryReceive()?.type, { args: [queue.address] })
  send(queue, 'b')
  await t.rejects(source.settle(frames ?? []), { code: 'ERR_ACK_CONFLICT' })
  t.same(drain(queue), [[1, 'b']])
})

for (const link of links) {
  t.test(`what cannot be put back is said, exit code 1, ${link}`, async (t) => {
    const queue = openQueue(t, 'sysv')
    const { child, result } = await loseReader(t, queue, link)
    child.kill('SIGSTOP')
    fill(queue)
    // Only the one process knows when it runs again: it may be quicker than the refill.
    queue.configure({ maxBytes: 1 })
    child.kill('SIGCONT')
    const { code, said } = await result
    t.equal(code, 1)
    t.match(said, /^kmq: \d+ messages? taken from \S+ neither written nor put back/)
  })
}
