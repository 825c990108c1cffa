/** POSIX queues are descriptors: who has them, and whose flags are whose. */
import { closeSync, constants, openSync, readFileSync, readlinkSync } from 'node:fs'
import { Frame, open } from 'kernelmq'
import { test } from 'tap'
import { Child, startProgram } from './fixtures/processes.js'
import { fill, openQueue } from './fixtures/queues.js'
import { settle } from './fixtures/streams.js'

/** The flags of an open description: fcntl(2), `F_GETFL`. */
function flagsOf(fd: number): number {
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  return Number.parseInt(flags as string, 8)
}

test('a descriptor is not inherited by the processes that are started', async (t) => {
  const queue = openQueue(t, 'posix')
  t.equal(readlinkSync(`/proc/self/fd/${queue.fd}`), queue.address)
  const child = new Child(t, 'ls', ['-l', '/proc/self/fd'])
  const { code, stdout } = await child.outcome
  t.equal(code, 0)
  t.match(stdout, '0 -> ')
  t.notMatch(stdout, queue.address)
})

test('a descriptor that is passed on is a queue to the one who inherits it', async (t) => {
  const queue = openQueue(t, 'posix')
  const child = startProgram(
    t,
    async ({ open }) => {
      const inherited = open({ fd: 3 })
      const { type, data } = await inherited.receive()
      await inherited.send(`${inherited.address}: ${data}`, { type: Number(type) + 1 })
      await inherited.close()
    },
    {},
    { stdio: ['pipe', 'pipe', 'pipe', queue.fd] },
  )
  await queue.send('hello', { type: 5 })
  const { code, stderr } = await child.outcome
  t.equal(code, 0, stderr)
  t.strictSame(queue.tryReceive(), new Frame(6, Buffer.from('posix:fd=3: hello')))
})

test('a descriptor that is taken over twice is closed with its last handle', async (t) => {
  const queue = openQueue(t, 'posix')
  const { fd } = queue
  const other = open({ fd })
  const third = open({ fd })
  // With a wait the descriptor is the event loop's too.
  await t.rejects(other.receive({ timeout: 1 }), { code: 'ETIMEDOUT' })
  await other.close()
  await queue.close()
  await settle()
  t.equal(readlinkSync(`/proc/self/fd/${fd}`), queue.address)
  await third.send('x')
  t.equal(String((await third.receive()).data), 'x')
  await third.close()
  t.throws(() => open({ fd }), { code: 'EBADF' })
})

for (const waiting of ['receive', 'send'] as const) {
  test(`waiting to ${waiting} on an inherited descriptor leaves its flags alone`, async (t) => {
    const queue = openQueue(t, 'posix')
    // One more open description of the same queue, without O_NONBLOCK, as a C program would have it.
    const blocking = openSync(`/proc/self/fd/${queue.fd}`, constants.O_RDWR)
    t.teardown(() => closeSync(blocking))
    t.equal(flagsOf(blocking) & constants.O_NONBLOCK, 0, 'it blocks at first')
    if (waiting === 'send') fill(queue)
    const child = startProgram(
      t,
      async ({ open }, { waiting }) => {
        const inherited = open({ fd: 3 })
        const waited = waiting === 'send' ? inherited.send('mine') : inherited.receive()
        console.log('waiting')
        await waited
        console.log('over')
        process.stdin.once('data', () => process.exit())
      },
      { waiting },
      { stdio: ['pipe', 'pipe', 'pipe', blocking] },
    )
    t.equal(await child.line(), 'waiting')
    t.equal(flagsOf(blocking) & constants.O_NONBLOCK, 0, 'it blocks while the child waits')
    if (waiting === 'send') queue.tryReceive()
    else await queue.send('for the child')
    t.equal(await child.line(), 'over')
    child.tell('done')
    t.equal((await child.outcome).code, 0)
    t.equal(flagsOf(blocking) & constants.O_NONBLOCK, 0, 'it blocks after the child has gone')
  })
}
