import { execFileSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type PosixStats } from 'kernelmq'
import { test } from 'tap'
import { inChild, runChild } from '../fixtures/child.js'
import { Child } from '../fixtures/processes.js'
import { openAgain, openQueue } from '../fixtures/queues.js'
import { settle } from '../fixtures/streams.js'

test('notify resolves when a message arrives on the empty queue', async (t) => {
  const queue = openQueue(t, 'posix')
  let told = false
  const notified = queue.notify().then(() => {
    told = true
  })
  await settle(40)
  t.equal(told, false)
  await openAgain(t, queue).send('x')
  await notified
  t.equal(queue.stats().messages, 1, 'the message is left there')
})

test('the registration stands when the call returns, and stats tells of it', async (t) => {
  const queue = openQueue(t, 'posix')
  const notified = queue.notify()
  t.match(queue.stats(), { notifyPid: process.pid, notifyMethod: 'thread', notifySignal: null })
  t.ok(queue.trySend('x'))
  await notified
  t.match(queue.stats(), { notifyPid: null, notifyMethod: null, notifySignal: null })
})

test('stats tells of a registration by signal, and of one that tells nobody', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kernelmq-notify-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const source = join(folder, 'notify.c')
  const program = join(folder, 'notify')
  writeFileSync(
    source,
    `#include <fcntl.h>
     #include <mqueue.h>
     #include <signal.h>
     #include <stdlib.h>
     #include <unistd.h>
     int main(int n, char **v) {
       struct sigevent event = {.sigev_notify = atoi(v[2]), .sigev_signo = SIGUSR2};
       if (mq_notify(mq_open(v[1], O_RDONLY), &event) < 0) return n;
       if (write(1, "registered\\n", 11) < 0) return n;
       char end;
       return read(0, &end, 1);
     }`,
  )
  try {
    execFileSync('cc', ['-o', program, source, '-lrt'], { stdio: 'ignore' })
  } catch {
    return t.comment('skipped: no C compiler here')
  }
  // SIGEV_SIGNAL and SIGEV_NONE.
  for (const [method, seen] of [
    ['0', { notifyMethod: 'signal', notifySignal: constants.signals.SIGUSR2 }],
    ['1', { notifyMethod: 'none', notifySignal: null }],
  ] as const) {
    const queue = openQueue(t, 'posix')
    const child = new Child(t, program, [queue.address, method])
    t.equal(await child.line(), 'registered')
    t.match(queue.stats(), { notifyPid: child.process.pid, ...seen })
    child.tell('end')
    await child.outcome
    t.match(queue.stats(), { notifyPid: null, notifyMethod: null, notifySignal: null })
  }
})

test('a message on a queue that is not empty tells nobody', async (t) => {
  const queue = openQueue(t, 'posix')
  await queue.send('there')
  let told = false
  const notified = queue.notify().then(() => {
    told = true
  })
  await queue.send('more')
  await settle(40)
  t.equal(told, false)
  queue.clear()
  await queue.send('first')
  await notified
})

test('it is for once, and may be asked for again', async (t) => {
  const queue = openQueue(t, 'posix')
  for (let i = 0; i < 3; i++) {
    const notified = queue.notify()
    await queue.send('x')
    await notified
    queue.clear()
  }
})

test('a second one is EBUSY, in this process and in another', async (t) => {
  const queue = openQueue(t, 'posix')
  const notified = queue.notify()
  const busy = { name: 'QueueError', code: 'EBUSY', syscall: 'mq_notify', address: queue.address }
  await t.rejects(queue.notify(), busy)
  await t.rejects(openAgain(t, queue).notify(), busy)
  const code = await inChild(
    ({ open }, address: string) =>
      open(address)
        .notify()
        .then(
          () => 'told',
          (error) => error.code,
        ),
    { args: [queue.address] },
  )
  t.equal(code, 'EBUSY')
  await queue.send('x')
  await notified
})

test('closing another handle of the queue here does not undo it', async (t) => {
  const queue = openQueue(t, 'posix')
  const notified = queue.notify()
  for (let i = 0; i < 3; i++) {
    await open(queue.address).close()
    await settle(40)
    t.equal((queue.stats() as PosixStats).notifyPid, process.pid)
  }
  await queue.send('x')
  await notified
})

test('a message that comes right with such a close is told of', async (t) => {
  const queue = openQueue(t, 'posix')
  for (let i = 0; i < 20; i++) {
    const notified = queue.notify()
    const closing = open(queue.address).close()
    if (i % 2) await closing
    queue.trySend('x')
    await notified
    queue.clear()
  }
})

test('an abort withdraws it', async (t) => {
  const queue = openQueue(t, 'posix')
  const controller = new AbortController()
  const notified = queue.notify({ signal: controller.signal })
  await settle()
  controller.abort()
  await t.rejects(notified, { name: 'AbortError', code: 'ABORT_ERR' })
  t.equal(queue.stats().notifyPid, null)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
  await t.rejects(queue.notify({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  t.equal(queue.stats().notifyPid, null)
})

test('close withdraws it', async (t) => {
  const queue = openQueue(t, 'posix')
  const other = openAgain(t, queue)
  const notified = queue.notify()
  const rejected = t.rejects(notified, { code: 'ERR_QUEUE_CLOSED' })
  await queue.close()
  await rejected
  t.match(other.stats(), { notifyPid: null })
  await t.rejects(queue.notify(), { code: 'ERR_QUEUE_CLOSED' })
})

test('it keeps the process alive, unless the queue is unref’d', async (t) => {
  const queue = openQueue(t, 'posix')
  const { code, stderr } = await runChild(
    ({ open }, address: string) => {
      open(address).unref().notify()
    },
    { args: [queue.address] },
  )
  t.same([code, stderr], [0, ''])
  const answers = openQueue(t, 'posix')
  const running = runChild(
    ({ open }, address: string, told: string) => {
      const answers = open(told)
      open(address)
        .notify()
        .then(() => answers.trySend('notified'))
      answers.trySend('waiting')
    },
    { args: [queue.address, answers.address] },
  )
  await answers.receive()
  await queue.send('x')
  t.equal((await running).code, 0)
  t.equal(answers.tryReceive()?.data.toString(), 'notified')
})

test('wrong options are refused', async (t) => {
  const queue = openQueue(t, 'posix')
  await t.rejects(queue.notify({ timeout: 5 } as never), { message: /"options\.timeout"/ })
  await t.rejects(queue.notify({ signal: 5 } as never), { message: /"options\.signal"/ })
  t.equal(queue.stats().notifyPid, null)
})
