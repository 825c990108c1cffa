import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { open, PosixQueue } from 'kernelmq'
import { test } from 'tap'
import { drain, openAgain, openQueue, unusedAddress } from '../fixtures/queues.js'
import { settle, take, until } from '../fixtures/streams.js'
import { asOrdinaryUser } from '../fixtures/users.js'

test('the highest priority comes first, and first come first within one', async (t) => {
  const queue = openQueue(t, 'posix')
  const sent = [
    [0, 'a'],
    [7, 'b'],
    [32767, 'c'],
    [7, 'd'],
    [0, 'e'],
  ] as const
  for (const [type, text] of sent) await queue.send(text, { type })
  t.same(drain(queue), [
    [32767, 'c'],
    [7, 'b'],
    [7, 'd'],
    [0, 'a'],
    [0, 'e'],
  ])
})

test('a priority out of range is refused', async (t) => {
  const queue = openQueue(t, 'posix')
  for (const type of [-1, 32768, 1.5, 32768n, -1n]) {
    await t.rejects(queue.send('x', { type }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
  }
})

test('what System V alone has is ENOTSUP', async (t) => {
  const refused = { name: 'QueueError', code: 'ENOTSUP' }
  const demultiplex = { ...refused, hint: /demultiplex/ }
  const queue = openQueue(t, 'posix')
  await queue.send('x', { type: 5 })
  await t.rejects(queue.receive({ type: 5 }), demultiplex)
  await t.rejects(queue.receive({ type: -5 }), demultiplex)
  await t.rejects(queue.receive({ type: 5, except: true }), refused)
  t.throws(() => queue.tryReceive({ type: 5 }), demultiplex)
  t.throws(() => queue.tryReceive({ except: true }), demultiplex)
  t.throws(() => queue.clear({ type: 5 }), demultiplex)
  t.throws(() => queue.readable({ type: 5 }), demultiplex)
  t.throws(() => queue.consumer({ type: 5 }), demultiplex)
  t.throws(() => queue.duplex({ receive: { type: 5 } }), demultiplex)
  t.throws(() => queue.readable({ ack: true }), refused)
  t.throws(() => queue.consumer({ ack: true }), refused)
  t.throws(() => queue.peek(), refused)
  t.equal((await queue.receive({ type: 0 })).data.toString(), 'x', 'type 0 is any')
  await queue.send('y', { type: 5 })
  t.equal(queue.tryReceive({ type: 0n })?.data.toString(), 'y', 'as a bigint too')
})

test('maxMessages and maxMessageSize', async (t) => {
  t.test('are those asked for', async (t) => {
    const queue = openQueue(t, 'posix', { maxMessages: 3, maxMessageSize: 77 })
    t.match(queue, { maxMessages: 3, maxMessageSize: 77 })
    t.match(queue.stats(), { maxMessages: 3, maxMessageSize: 77 })
    for (let i = 0; i < 3; i++) t.ok(queue.trySend(Buffer.alloc(77)))
    t.equal(queue.trySend(''), false)
  })

  t.test('are the system’s where none is given', async (t) => {
    const system = (name: string) => Number(readFileSync(`/proc/sys/fs/mqueue/${name}`))
    const only = (options: object) => {
      const address = unusedAddress(t, 'posix')
      const queue = open(address, { create: true, ...options })
      t.teardown(() => queue.close())
      return queue
    }
    t.match(only({ maxMessages: 1 }), { maxMessages: 1, maxMessageSize: system('msgsize_default') })
    t.match(only({ maxMessageSize: 16 }), {
      maxMessages: system('msg_default'),
      maxMessageSize: 16,
    })
  })
})

test('stats has all of mq_getattr, the file and the status line', async (t) => {
  const queue = openQueue(t, 'posix', { mode: 0o640 })
  await queue.send('abc')
  await queue.send('de')
  t.same(queue.stats(), {
    kind: 'posix',
    address: queue.address,
    messages: 2,
    bytes: 5,
    maxMessages: 10,
    maxMessageSize: 256,
    mode: 0o640,
    uid: process.geteuid?.(),
    gid: process.getegid?.(),
    nonBlocking: true,
    notifyPid: null,
    notifyMethod: null,
    notifySignal: null,
  })
})

test('stats of a handle that only writes is the same', async (t) => {
  const queue = openQueue(t, 'posix')
  await queue.send('abc')
  t.same(openAgain(t, queue, { access: 'write' }).stats(), queue.stats())
})

test('configure', async (t) => {
  t.test('changes the mode and nothing else', async (t) => {
    const queue = openQueue(t, 'posix')
    const before = queue.stats()
    queue.configure({ mode: 0o644 })
    t.same(queue.stats(), { ...before, mode: 0o644 })
    queue.configure({})
  })

  t.test('refuses maxBytes, which System V alone has, and changes nothing', async (t) => {
    const queue = openQueue(t, 'posix')
    const before = queue.stats()
    t.throws(() => queue.configure({ mode: 0o644, maxBytes: 100 }), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: /"configuration\.maxBytes"/,
    })
    t.same(queue.stats(), before)
  })

  t.test(
    'changes owner and group',
    { skip: process.getuid?.() !== 0 && 'needs root' },
    async (t) => {
      const queue = openQueue(t, 'posix')
      queue.configure({ uid: 65534 })
      t.match(queue.stats(), { uid: 65534, gid: 0 })
      queue.configure({ gid: 65534, mode: 0o660 })
      t.match(queue.stats(), { uid: 65534, gid: 65534, mode: 0o660 })
    },
  )

  t.test('is EPERM for others', { skip: process.getuid?.() !== 0 && 'needs root' }, async (t) => {
    const queue = openQueue(t, 'posix', { mode: 0o666 })
    asOrdinaryUser(() => {
      t.throws(() => queue.configure({ mode: 0o600 }), {
        name: 'QueueError',
        code: 'EPERM',
        syscall: 'fchmod',
        address: queue.address,
      })
    })
  })
})

test('unlink leaves every open handle at work', async (t) => {
  const queue = openQueue(t, 'posix')
  const other = openAgain(t, queue)
  queue.unlink()
  await queue.send('x')
  t.equal((await other.receive()).data.toString(), 'x')
  t.equal(other.stats().messages, 0)
})

test('frames are put back also where the name is gone, on a handle that only reads', async (t) => {
  const queue = openQueue(t, 'posix')
  for (const text of ['a', 'b']) await queue.send(text)
  const reader = openAgain(t, queue, { access: 'read' })
  queue.unlink()
  const readable = reader.readable()
  await take(readable, 1)
  readable.destroy()
  await until(() => readable.closed)
  t.equal(queue.tryReceive()?.data.toString(), 'b')
})

test('a descriptor', async (t) => {
  /** A descriptor of a queue that belongs to nobody here. */
  const descriptor = (queue: PosixQueue) => openSync(`/proc/self/fd/${queue.fd}`, 'r+')

  t.test('is adopted, and close() closes it', async (t) => {
    const queue = openQueue(t, 'posix')
    const fd = descriptor(queue)
    const adopted = open({ fd })
    t.ok(adopted instanceof PosixQueue)
    t.match(adopted, { fd, address: `posix:fd=${fd}`, maxMessages: 10, maxMessageSize: 256 })
    await adopted.send('x')
    t.equal((await queue.receive()).data.toString(), 'x')
    await adopted.close()
    t.throws(() => fstatSync(fd), { code: 'EBADF' })
  })

  t.test('waits work, and its flags are left as they are', async (t) => {
    const queue = openQueue(t, 'posix')
    const adopted = open(`posix:fd=${descriptor(queue)}`) as PosixQueue
    t.equal(adopted.stats().nonBlocking, false)
    const waiting = adopted.receive()
    await settle(40)
    await queue.send('x')
    t.equal((await waiting).data.toString(), 'x')
    t.equal(adopted.tryReceive(), null)
    while (queue.trySend('full'));
    t.equal(adopted.trySend('x'), false)
    const sending = adopted.send('y')
    await settle(40)
    queue.tryReceive()
    await sending
    t.equal(adopted.stats().nonBlocking, false)
    await adopted.close()
  })

  t.test('unlink is ENOTSUP', async (t) => {
    const adopted = open({ fd: descriptor(openQueue(t, 'posix')) })
    t.throws(() => adopted.unlink(), { name: 'QueueError', code: 'ENOTSUP' })
    await adopted.close()
  })

  t.test('that is no queue is refused, and stays open', async (t) => {
    const fd = openSync('/dev/null', 'r')
    t.throws(() => open({ fd }), {
      name: 'QueueError',
      code: 'EBADF',
      address: `posix:fd=${fd}`,
      message: /the descriptor is not an open POSIX queue/,
    })
    t.doesNotThrow(() => closeSync(fd))
    t.throws(() => open({ fd }), { name: 'QueueError', code: 'EBADF' })
  })

  t.test('has no options of creation', async (t) => {
    const fd = descriptor(openQueue(t, 'posix'))
    t.teardown(() => closeSync(fd))
    t.throws(() => open({ fd }, { create: true }), { message: /"options\.create"/ })
    t.throws(() => open({ fd }, { access: 'read' }), { message: /"options\.access"/ })
  })
})

test('close gives the descriptor back', async (t) => {
  const queue = openQueue(t, 'posix')
  const { fd } = openAgain(t, queue) as PosixQueue
  const handles = [open(queue.address), open(queue.address)] as PosixQueue[]
  handles[0]?.receive({ timeout: 1 }).catch(() => {})
  await Promise.all(handles.map((handle) => handle.close()))
  // Not some turns later: a queue that is removed costs its user memory until then.
  for (const handle of handles) t.throws(() => fstatSync(handle.fd), { code: 'EBADF' })
  t.ok(fstatSync(fd))
})

test('a handle that is garbage-collected gives its descriptor back', async (t) => {
  const queue = openQueue(t, 'posix')
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const count = () => readdirSync('/proc/self/fd').length
  const before = count()
  for (let i = 0; i < 20; i++) open(queue.address)
  t.ok(count() >= before + 10)
  await until(() => {
    gc()
    return count() <= before
  })
})
