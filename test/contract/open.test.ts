import { MessageQueue, open, PosixQueue, QueueError, SysVQueue, unlink } from 'kernelmq'
import { test } from 'tap'
import { kinds, openAgain, openQueue, unusedAddress } from '../fixtures/queues.js'
import { failure } from '../fixtures/streams.js'
import { asOrdinaryUser } from '../fixtures/users.js'

for (const kind of kinds) {
  test(`${kind}: open`, async (t) => {
    t.test('create makes a queue that is not there', async (t) => {
      const queue = open(unusedAddress(t, kind), { create: true })
      t.teardown(() => queue.close())
      t.ok(queue instanceof MessageQueue)
      t.ok(queue instanceof (kind === 'posix' ? PosixQueue : SysVQueue))
      t.equal(queue.kind, kind)
      t.equal(queue.closed, false)
    })

    t.test('without create a queue that is not there is ENOENT', async (t) => {
      const address = unusedAddress(t, kind)
      const syscall = kind === 'posix' ? 'mq_open' : 'msgget'
      t.throws(() => open(address), { name: 'QueueError', code: 'ENOENT', syscall, address })
      t.throws(() => open(address, { create: false }), QueueError)
    })

    t.test('create opens a queue that is there', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('there')
      const again = open(queue.address, { create: true })
      t.teardown(() => again.close())
      t.equal(again.tryReceive()?.data.toString(), 'there')
    })

    t.test('create changes nothing on a queue that is there', async (t) => {
      const queue = openQueue(t, kind, { mode: 0o640 })
      const before = queue.stats()
      const size = kind === 'posix' ? { maxMessages: 2, maxMessageSize: 8 } : { maxBytes: 16 }
      const again = open(queue.address, { create: true, mode: 0o600, ...size })
      t.teardown(() => again.close())
      t.same(again.stats(), before)
    })

    t.test('exclusive is EEXIST where the queue is there', async (t) => {
      const { address } = openQueue(t, kind)
      t.throws(() => open(address, { create: true, exclusive: true }), {
        name: 'QueueError',
        code: 'EEXIST',
        address,
      })
    })

    t.test('exclusive without create is refused', async (t) => {
      const { address } = openQueue(t, kind)
      const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: /exclusive/ }
      t.throws(() => open(address, { exclusive: true }), refused)
    })

    t.test('the mode is 0600 where none is given', async (t) => {
      t.equal(openQueue(t, kind).stats().mode, 0o600)
    })

    for (const umask of [0, 0o022, 0o077]) {
      t.test(`the mode is exact under umask ${umask.toString(8)}`, async (t) => {
        const before = process.umask(umask)
        t.teardown(() => process.umask(before))
        for (const mode of [0o600, 0o640, 0o666, 0o777]) {
          t.equal(openQueue(t, kind, { mode }).stats().mode, mode)
        }
        t.equal(openQueue(t, kind).stats().mode, 0o600)
      })
    }

    t.test(
      'a mode that forbids even its owner is no hindrance to who creates the queue',
      async (t) => {
        const queue = asOrdinaryUser(() => openQueue(t, kind, { mode: 0 }))
        t.equal(queue.closed, false)
      },
    )

    t.test('the permission that access needs is asked for at open', async (t) => {
      const readOnly = asOrdinaryUser(() => openQueue(t, kind, { mode: 0o400 }))
      const writeOnly = asOrdinaryUser(() => openQueue(t, kind, { mode: 0o200 }))
      asOrdinaryUser(() => {
        const denied = { name: 'QueueError', code: 'EACCES' }
        t.throws(() => open(readOnly.address), denied)
        t.throws(() => open(readOnly.address, { access: 'read-write' }), denied)
        t.throws(() => open(readOnly.address, { access: 'write' }), denied)
        t.throws(() => open(writeOnly.address), denied)
        t.throws(() => open(writeOnly.address, { access: 'read' }), denied)
        openAgain(t, readOnly, { access: 'read' })
        openAgain(t, writeOnly, { access: 'write' })
      })
    })

    t.test('a handle for reading does not send, for root too', async (t) => {
      const queue = openAgain(t, openQueue(t, kind), { access: 'read' })
      const refused = { name: 'QueueError', code: 'EBADF' }
      await t.rejects(queue.send('x'), refused)
      t.throws(() => queue.trySend('x'), refused)
      const writable = queue.writable()
      writable.write('x')
      t.match(await failure(writable), refused)
      const bytes = queue.writable({ objectMode: false })
      bytes.write('x')
      t.match(await failure(bytes), refused)
      t.equal(queue.stats().messages, 0)
    })

    t.test('a handle for writing does not receive, for root too', async (t) => {
      const whole = openQueue(t, kind)
      await whole.send('x')
      const queue = openAgain(t, whole, { access: 'write' })
      const refused = { name: 'QueueError', code: 'EBADF' }
      await t.rejects(queue.receive(), refused)
      t.throws(() => queue.tryReceive(), refused)
      t.throws(() => queue.clear(), refused)
      const readable = queue.readable()
      readable.resume()
      t.match(await failure(readable), refused)
      t.equal(whole.stats().messages, 1)
    })

    t.test('each access does what it is for', async (t) => {
      const queue = openQueue(t, kind)
      const writer = openAgain(t, queue, { access: 'write' })
      const reader = openAgain(t, queue, { access: 'read' })
      await writer.send('x')
      t.equal((await reader.receive()).data.toString(), 'x')
      const created = open(unusedAddress(t, kind), { create: true, access: 'write' })
      t.teardown(() => created.close())
      t.throws(() => created.tryReceive(), { code: 'EBADF' })
    })

    t.test('unlink removes the queue by its address', async (t) => {
      const { address } = openQueue(t, kind)
      unlink(address)
      t.throws(() => open(address), { code: 'ENOENT' })
      t.throws(() => unlink(address), { name: 'QueueError', code: 'ENOENT', address })
    })

    t.test('unlink of a handle removes the queue and leaves the handle open', async (t) => {
      const queue = openQueue(t, kind)
      queue.unlink()
      t.equal(queue.closed, false)
      t.throws(() => open(queue.address), { code: 'ENOENT' })
      const gone = { name: 'QueueError', code: kind === 'posix' ? 'ENOENT' : 'EIDRM' }
      t.throws(() => queue.unlink(), gone)
    })
  })
}
