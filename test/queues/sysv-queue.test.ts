import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { type Frame, list, open, type QueueError, SysVQueue, unlink } from 'kernelmq'
import { test } from 'tap'
import { inChild, noNamespace, ownNamespace } from '../fixtures/child.js'
import { drain, fill, openAgain, openQueue, removeAfter, texts } from '../fixtures/queues.js'
import { all, failure, settle, take, until, write } from '../fixtures/streams.js'
import { asOrdinaryUser } from '../fixtures/users.js'

const words = (queue: SysVQueue) => drain(queue).map(([, text]) => text)

test('selection by type', async (t) => {
  const full = async () => {
    const queue = openQueue(t, 'sysv')
    for (const [text, type] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
      ['aa', 1],
      ['e', 5],
    ] as const) {
      await queue.send(text, { type })
    }
    return queue
  }

  t.test('0 is any, in order of arrival', async (t) => {
    const queue = await full()
    t.equal((await queue.receive({ type: 0 })).data.toString(), 'c')
    t.same(words(queue), ['a', 'b', 'aa', 'e'])
  })

  t.test('n is exactly n', async (t) => {
    const queue = await full()
    t.equal((await queue.receive({ type: 2 })).data.toString(), 'b')
    t.equal(queue.tryReceive({ type: 2 }), null)
    t.equal(queue.tryReceive({ type: 1n })?.data.toString(), 'a')
  })

  t.test('-n is the lowest type up to n', async (t) => {
    const queue = await full()
    const seen: string[] = []
    for (let i = 0; i < 4; i++) seen.push(String(queue.tryReceive({ type: -3 })?.data))
    t.equal(queue.tryReceive({ type: -3 }), null)
    t.same(seen, ['a', 'aa', 'b', 'c'])
    t.equal(queue.stats().messages, 1)
  })

  t.test('except is every type but n', async (t) => {
    const queue = await full()
    t.equal((await queue.receive({ type: 3, except: true })).data.toString(), 'a')
    t.same(texts(await take<Frame>(queue.readable({ type: 1, except: true }), 3)), ['c', 'b', 'e'])
    t.equal(queue.tryReceive({ type: 1, except: true }), null)
    t.equal(queue.tryReceive({ type: 1, except: false })?.data.toString(), 'aa')
  })

  t.test('except without a type to leave out is refused', async (t) => {
    const queue = await full()
    const refused = { code: 'ERR_INVALID_ARG_VALUE', message: /"options\.except"/ }
    t.throws(() => queue.tryReceive({ except: true }), refused)
    t.throws(() => queue.tryReceive({ type: -1, except: true }), refused)
    t.throws(() => queue.readable({ type: 0, except: true }), refused)
  })

  t.test('waits, streams, consumers and clear select too', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const [options, wrong, right] of [
      [{ type: 2 }, 9, 2],
      [{ type: -3 }, 9, 3],
      [{ type: 9, except: true }, 9, 4],
    ] as const) {
      const waiting = queue.receive(options)
      await settle(40)
      await queue.send('wrong', { type: wrong })
      await queue.send('right', { type: right })
      t.equal((await waiting).type, right)
      t.same(words(queue), ['wrong'])
    }
    for (const type of [5, 6, 5]) await queue.send(`t${type}`, { type })
    const consumer = queue.consumer({ type: 6 })
    t.equal(await new Promise((resolve) => consumer.on('message', ({ type }) => resolve(type))), 6)
    await consumer.close()
    t.equal(queue.clear({ type: 5 }), 2)
    await queue.send('x', { type: 7 })
    t.equal(queue.clear({ type: -7 }), 1)
    t.equal(queue.clear({ type: 8 }), 0)
  })

  t.test('clear discards what is selected and leaves the others', async (t) => {
    const queue = await full()
    t.equal(queue.clear({ type: 1 }), 2)
    t.equal(queue.clear({ type: -3 }), 2)
    t.equal(queue.clear({ type: 4 }), 0)
    t.same(words(queue), ['e'])
  })

  t.test('a readable of one type leaves the others', async (t) => {
    const queue = await full()
    const readable = queue.readable({ type: 1 })
    t.same(texts(await take<Frame>(readable, 2)), ['a', 'aa'])
    readable.destroy()
    t.same(words(queue), ['c', 'b', 'e'])
  })

  t.test('a type out of range is refused', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const type of [1.5, Number.NaN, 2 ** 53, 2n ** 63n, -(2n ** 63n)]) {
      t.throws(() => queue.tryReceive({ type }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
    }
    for (const type of [0, -1, 2 ** 53, 0n, 2n ** 63n]) {
      await t.rejects(queue.send('x', { type }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
    }
  })
})

test('types above 2^53-1', async (t) => {
  const huge = 2n ** 53n
  const most = 2n ** 63n - 1n

  t.test('are exact as bigints', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const type of [huge + 1n, most, 2n ** 32n, 2n ** 31n, 1n]) {
      await queue.send('x', { type })
      t.equal((await queue.receive({ bigint: true })).type, type)
      await queue.send('', { type })
      t.equal(queue.tryReceive({ type, bigint: true })?.type, type)
    }
    await write(queue.writable({ type: most }), 'x')
    const readable = queue.readable({ bigint: true })
    t.equal((await take<Frame>(readable, 1))[0]?.type, most)
    readable.destroy()
  })

  t.test('2^53-1 is exact as a number', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const type of [Number.MAX_SAFE_INTEGER, 2 ** 32, 2 ** 31]) {
      await queue.send('x', { type })
      t.equal((await queue.receive()).type, type)
      const waiting = queue.receive({ type })
      await settle(40)
      await queue.send('', { type })
      t.equal((await waiting).type, type)
    }
  })

  t.test('without bigint a call fails and the message goes back', async (t) => {
    const queue = openQueue(t, 'sysv')
    const unsafe = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message: /bigint: true/ }
    for (const text of ['x', '']) {
      await queue.send(text, { type: huge })
      await t.rejects(queue.receive(), unsafe)
      t.throws(() => queue.tryReceive(), unsafe)
      const waiting = queue.receive({ type: most })
      await settle(40)
      await queue.send(text, { type: most })
      await t.rejects(waiting, unsafe)
      t.equal(queue.stats().messages, 2)
      const types = [queue.tryReceive({ bigint: true }), queue.tryReceive({ bigint: true })]
      t.same(new Set(types.map((frame) => frame?.type)), new Set([huge, most]))
    }
  })

  t.test('a stream yields what came before, fails, and the message goes back', async (t) => {
    const queue = openQueue(t, 'sysv')
    await queue.send('before')
    await queue.send('huge', { type: huge })
    await queue.send('after')
    const readable = queue.readable()
    const seen: string[] = []
    readable.on('data', ({ data }) => seen.push(data.toString()))
    t.match(await failure(readable), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
    await until(() => readable.closed)
    const rest = [queue.tryReceive({ bigint: true }), queue.tryReceive({ bigint: true })]
    t.same([...seen, ...rest.map((frame) => `${frame?.data}`)].sort(), ['after', 'before', 'huge'])
  })

  t.test('where it does not fit back it is on the error', async (t) => {
    const queue = openQueue(t, 'sysv')
    await queue.send('', { type: huge })
    t.throws(() => queue.tryReceive(), { code: 'ERR_OUT_OF_RANGE' })
    t.equal(queue.clear(), 1, 'clear needs no type')
  })

  t.test('peek tells the same', async (t) => {
    const queue = openQueue(t, 'sysv')
    await queue.send('x', { type: huge })
    t.throws(() => queue.peek(), { code: 'ERR_OUT_OF_RANGE' })
    t.equal(queue.peek(0, { bigint: true })?.type, huge)
    t.equal(queue.stats().messages, 1)
  })
})

test('peek', async (t) => {
  t.test('shows the message at a position and leaves it there', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const [i, text] of ['a', '', 'c'].entries()) await queue.send(text, { type: i + 1 })
    t.equal(queue.peek()?.data.toString(), 'a')
    t.match(queue.peek(1), { type: 2, data: Buffer.alloc(0) })
    t.equal(queue.peek(2)?.data.toString(), 'c')
    t.equal(queue.peek(3), null)
    t.equal(queue.peek(Number.MAX_SAFE_INTEGER), null)
    t.equal(queue.stats().messages, 3)
    t.same(words(queue), ['a', '', 'c'])
    t.equal(queue.peek(), null)
  })

  t.test('shows the longest message', async (t) => {
    const queue = openQueue(t, 'sysv')
    await queue.send(Buffer.alloc(queue.maxMessageSize, 'm'))
    t.equal(queue.peek()?.data.length, queue.maxMessageSize)
  })

  t.test('needs the handle to read', async (t) => {
    const queue = openAgain(t, openQueue(t, 'sysv'), { access: 'write' }) as SysVQueue
    t.throws(() => queue.peek(), { code: 'EBADF' })
  })

  t.test('refuses wrong arguments', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const index of [-1, 1.5, '0', null, Number.NaN]) {
      t.throws(() => queue.peek(index as number), { code: /^ERR_/, message: /"index"/ })
    }
    t.throws(() => queue.peek(0, { tpye: 1 } as never), { message: /"options\.tpye"/ })
    t.throws(() => queue.peek(0, { bigint: 1 } as never), { message: /"options\.bigint"/ })
    await queue.close()
    t.throws(() => queue.peek(), { code: 'ERR_QUEUE_CLOSED' })
  })
})

test('stats has all of IPC_STAT', async (t) => {
  const queue = openQueue(t, 'sysv', { mode: 0o640 })
  const { uid, gid } = { uid: process.geteuid?.(), gid: process.getegid?.() }
  const started = Math.floor(Date.now() / 1000) * 1000 - 1000
  t.match(queue.stats(), {
    kind: 'sysv',
    address: queue.address,
    id: queue.id,
    key: queue.key,
    messages: 0,
    bytes: 0,
    maxBytes: 2560,
    maxMessageSize: 2560,
    mode: 0o640,
    uid,
    gid,
    creatorUid: uid,
    creatorGid: gid,
    lastSendPid: 0,
    lastReceivePid: 0,
    lastSendTime: null,
    lastReceiveTime: null,
  })
  t.ok(Number(queue.stats().changeTime) >= started)
  await queue.send('abc')
  await queue.send('de')
  t.match(queue.stats(), { messages: 2, bytes: 5, lastSendPid: process.pid, lastReceivePid: 0 })
  t.ok(Number(queue.stats().lastSendTime) >= started)
  t.equal(queue.stats().lastReceiveTime, null)
  await queue.receive()
  t.match(queue.stats(), { messages: 1, bytes: 2, lastReceivePid: process.pid })
  t.ok(Number(queue.stats().lastReceiveTime) >= started)
  const { lastSendTime, lastReceiveTime, changeTime } = queue.stats()
  for (const time of [lastSendTime, lastReceiveTime, changeTime]) t.ok(Number(time) <= Date.now())
  t.same(
    Object.keys(queue.stats()).sort(),
    [
      'kind',
      'address',
      'messages',
      'bytes',
      'maxMessageSize',
      'mode',
      'uid',
      'gid',
      'id',
      'key',
      'maxBytes',
      'creatorUid',
      'creatorGid',
      'lastSendPid',
      'lastReceivePid',
      'lastSendTime',
      'lastReceiveTime',
      'changeTime',
    ].sort(),
  )
})

test('stats agrees with ipcs', async (t) => {
  const queue = openQueue(t, 'sysv')
  await queue.send('abc')
  const text = execFileSync('ipcs', ['-q', '-i', String(queue.id)], { encoding: 'utf8' })
  t.match(text, /cbytes=3\s+qbytes=2560\s+qnum=1/)
})

test('configure', async (t) => {
  t.test('changes the mode and nothing else', async (t) => {
    const queue = openQueue(t, 'sysv')
    const before = queue.stats()
    queue.configure({ mode: 0o644 })
    t.same({ ...queue.stats(), changeTime: null }, { ...before, mode: 0o644, changeTime: null })
  })

  t.test('changes maxBytes, and maxMessageSize follows', async (t) => {
    const queue = openQueue(t, 'sysv')
    await t.rejects(queue.send(Buffer.alloc(3000)), { code: 'EMSGSIZE' })
    queue.configure({ maxBytes: 4000 })
    t.equal(queue.stats().maxBytes, 4000)
    t.equal(queue.maxMessageSize, 4000)
    await queue.send(Buffer.alloc(3000))
  })

  t.test('another handle notices', async (t) => {
    const queue = openQueue(t, 'sysv')
    const other = openAgain(t, queue)
    queue.configure({ maxBytes: 4000 })
    await other.send(Buffer.alloc(3000))
    queue.clear()
    queue.configure({ maxBytes: 100 })
    await t.rejects(queue.send(Buffer.alloc(200)), { code: 'EMSGSIZE' })
  })

  t.test('a queue that shrinks under a send that waits is EMSGSIZE', async (t) => {
    const queue = openQueue(t, 'sysv')
    fill(queue)
    const waiting = queue.send(Buffer.alloc(1000))
    await settle(40)
    openAgain(t, queue).configure({ maxBytes: 100 })
    await t.rejects(waiting, { code: 'EMSGSIZE' })
  })

  t.test('… and what was written before the one that is too long now goes', async (t) => {
    const queue = openQueue(t, 'sysv')
    const filled = fill(queue)
    const writable = queue.writable()
    writable.on('error', () => {})
    const failed: boolean[] = []
    const written = new Promise<void>((resolve) => {
      for (const length of [50, 1000]) {
        writable.write(Buffer.alloc(length), (error) => {
          failed.push(!!error)
          if (failed.length === 2) resolve()
        })
      }
    })
    await settle(40)
    const other = openAgain(t, queue)
    other.configure({ maxBytes: 100 })
    for (let i = 0; i < filled; i++) await other.receive()
    await written
    t.same(failed, [false, true])
    t.equal((await other.receive()).data.length, 50)
  })

  t.test('more than msgmnb needs CAP_SYS_RESOURCE, and the hint says so', async (t) => {
    const queue = asOrdinaryUser(() => openQueue(t, 'sysv'))
    asOrdinaryUser(() => {
      t.throws(() => queue.configure({ maxBytes: 10_000_000 }), {
        name: 'QueueError',
        code: 'EPERM',
        syscall: 'msgctl',
        hint: /above kernel\.msgmnb \d+.*sysctl -w kernel\.msgmnb=10000000/,
      })
    })
    t.equal(queue.stats().maxBytes, 2560)
  })

  t.test(
    'changes owner and group',
    { skip: process.getuid?.() !== 0 && 'needs root' },
    async (t) => {
      const queue = openQueue(t, 'sysv')
      queue.configure({ uid: 65534 })
      t.match(queue.stats(), { uid: 65534, gid: 0, creatorUid: 0 })
      queue.configure({ gid: 65534, mode: 0o660 })
      t.match(queue.stats(), { uid: 65534, gid: 65534, creatorGid: 0, mode: 0o660, maxBytes: 2560 })
    },
  )

  t.test(
    'is EPERM for others than owner and creator',
    { skip: process.getuid?.() !== 0 && 'needs root' },
    async (t) => {
      const queue = openQueue(t, 'sysv', { mode: 0o666 })
      asOrdinaryUser(() => {
        t.throws(() => queue.configure({ mode: 0o600 }), {
          code: 'EPERM',
          hint: /owner or creator/,
        })
      })
    },
  )
})

test('maxBytes at creation', async (t) => {
  t.test('is the system’s default where none is given', async (t) => {
    const address = openQueue(t, 'sysv').address
    open(address).unlink()
    const queue = open(address, { create: true })
    t.teardown(() => queue.close())
    const msgmnb = Number(execFileSync('cat', ['/proc/sys/kernel/msgmnb']))
    t.equal((queue.stats() as { maxBytes?: number }).maxBytes, msgmnb)
    const msgmax = Number(execFileSync('cat', ['/proc/sys/kernel/msgmax']))
    t.equal(queue.maxMessageSize, Math.min(msgmax, msgmnb))
    t.equal(queue.stats().maxMessageSize, queue.maxMessageSize)
  })

  t.test('more than 32 bits is refused, there and later', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const maxBytes of [0, 2 ** 31, 2 ** 32 + 5, 2 ** 40]) {
      const refused = (name: string) => ({
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message: new RegExp(`"${name}\\.maxBytes"`),
      })
      t.throws(() => open({ private: true }, { maxBytes }), refused('options'))
      t.throws(() => queue.configure({ maxBytes }), refused('configuration'))
    }
    t.equal(queue.stats().maxBytes, 2560)
  })

  t.test('a refused one leaves no queue behind', async (t) => {
    const { address } = openQueue(t, 'sysv')
    open(address).unlink()
    asOrdinaryUser(() => {
      t.throws(() => open(address, { create: true, maxBytes: 10_000_000 } as never), {
        code: 'EPERM',
        hint: /kernel\.msgmnb/,
      })
    })
    t.throws(() => open(address), { code: 'ENOENT' })
  })
})

test('addresses', async (t) => {
  t.test('a negative key is its unsigned form', async (t) => {
    const queue = openQueue(t, 'sysv')
    const again = open(queue.key - 2 ** 32)
    t.teardown(() => again.close())
    t.equal(again.id, queue.id)
    t.equal(again.key, queue.key)
    t.equal(again.address, queue.address)
    t.match(queue.address, /^sysv:0x[0-9a-f]{8}$/)
  })

  t.test('a small key has eight digits too', async (t) => {
    const address = `sysv:0x0${randomInt(2 ** 24, 2 ** 28).toString(16)}`
    removeAfter(t, address)
    const queue = open(address, { create: true, exclusive: true })
    t.teardown(() => queue.close())
    t.equal(queue.address, address)
    t.ok(list().some((each) => each.address === address))
  })

  t.test('by id', async (t) => {
    const queue = openQueue(t, 'sysv')
    const again = open({ id: queue.id })
    t.teardown(() => again.close())
    t.ok(again instanceof SysVQueue)
    t.equal(again.key, queue.key)
    t.equal(again.address, `sysv:id=${queue.id}`)
    await again.send('x')
    t.equal(queue.tryReceive()?.data.toString(), 'x')
    again.unlink()
    t.throws(() => open({ id: queue.id }), { code: 'ENOENT', address: `sysv:id=${queue.id}` })
    t.throws(() => open({ id: queue.id }, { create: true }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /"options\.create"/,
    })
  })

  t.test('unlink removes by id, and of an identifier that is gone it is ENOENT', async (t) => {
    const { id, address } = openQueue(t, 'sysv')
    unlink({ id })
    t.throws(() => open(address), { code: 'ENOENT' })
    const gone = { name: 'QueueError', code: 'ENOENT', address: `sysv:id=${id}` }
    t.throws(() => unlink({ id }), gone)
  })

  t.test('by id, permissions are asked for at open', async (t) => {
    const queue = asOrdinaryUser(() => openQueue(t, 'sysv', { mode: 0o400 }))
    asOrdinaryUser(() => {
      t.throws(() => open({ id: queue.id }), { code: 'EACCES' })
      t.throws(() => open({ id: queue.id }, { access: 'write' }), { code: 'EACCES' })
      t.equal(open({ id: queue.id }, { access: 'read' }).id, queue.id)
    })
  })

  t.test('by id, a handle does what its access is for and no more, for root too', async (t) => {
    const queue = openQueue(t, 'sysv')
    const byId = (access: 'read' | 'write') => {
      const handle = open({ id: queue.id }, { access })
      t.teardown(() => handle.close())
      return handle
    }
    const refused = { name: 'QueueError', code: 'EBADF' }
    t.throws(() => byId('read').trySend('x'), refused)
    t.ok(byId('write').trySend('x'))
    t.throws(() => byId('write').tryReceive(), refused)
    t.equal(byId('read').tryReceive()?.data.toString(), 'x')
  })

  t.test('private queues are new each time', async (t) => {
    const queues = [open({ private: true }), open('sysv:private', { maxBytes: 100 })] as SysVQueue[]
    for (const queue of queues) {
      removeAfter(t, queue.address)
      t.teardown(() => queue.close())
      t.equal(queue.key, 0)
      t.equal(queue.address, `sysv:id=${queue.id}`)
      t.equal(queue.stats().mode, 0o600)
    }
    t.not(queues[0]?.id, queues[1]?.id)
    t.equal(queues[1]?.stats().maxBytes, 100)
  })
})

test('a removed queue', async (t) => {
  const gone = { name: 'QueueError', code: 'EIDRM' }

  t.test('fails waiting receives and sends', async (t) => {
    const queue = openQueue(t, 'sysv')
    fill(queue, 2)
    const waiting = [queue.receive({ type: 9 }), queue.send(Buffer.alloc(256))]
    await settle(40)
    queue.unlink()
    for (const each of await Promise.allSettled(waiting)) {
      t.match(each, { status: 'rejected', reason: { ...gone, address: queue.address } })
    }
  })

  t.test('fails later calls', async (t) => {
    const queue = openQueue(t, 'sysv')
    queue.unlink()
    await t.rejects(queue.send('x'), gone)
    await t.rejects(queue.receive(), gone)
    for (const call of [
      () => queue.trySend('x'),
      () => queue.tryReceive(),
      () => queue.peek(),
      () => queue.clear(),
      () => queue.stats(),
      () => queue.configure({ mode: 0o600 }),
    ]) {
      t.throws(call, gone, String(call))
    }
  })

  t.test('fails a readable, with what it held unread', async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const text of ['a', 'b', 'c']) await queue.send(text, { type: 3 })
    const readable = queue.readable({ highWaterMark: 8 })
    await take(readable, 1)
    readable.read(0)
    await settle(40)
    const failed = failure<QueueError>(readable)
    queue.unlink()
    const error = await failed
    t.match(error, gone)
    t.same(texts(error.frames ?? []), ['b', 'c'])
    t.ok(error.frames?.every(({ type }) => type === 3))
  })

  t.test('tells each of two readables what it held itself', async (t) => {
    const queue = openQueue(t, 'sysv')
    const first = queue.readable({ highWaterMark: 8 })
    for (const text of ['a', 'b']) await queue.send(text)
    first.read(0)
    await until(() => first.readableLength === 2)
    const second = queue.readable()
    second.read(0)
    await settle(40)
    const failed = Promise.all([failure<QueueError>(first), failure<QueueError>(second)])
    queue.unlink()
    t.same(
      (await failed).map(({ frames }) => texts(frames ?? [])),
      [['a', 'b'], []],
    )
  })

  t.test('fails a for await', async (t) => {
    const queue = openQueue(t, 'sysv')
    const loop = all(queue)
    await settle(40)
    queue.unlink()
    await t.rejects(loop, gone)
  })

  t.test('fails a writable', async (t) => {
    const queue = openQueue(t, 'sysv')
    fill(queue)
    const writable = queue.writable()
    const failed = failure(writable)
    writable.write(Buffer.alloc(256))
    await settle(40)
    queue.unlink()
    t.match(await failed, gone)
  })

  t.test('fails byte streams with the bytes they held', async (t) => {
    const queue = openQueue(t, 'sysv')
    await queue.send('abc')
    const readable = queue.readable({ objectMode: false, highWaterMark: 100 })
    readable.read(0)
    await until(() => readable.readableLength > 0)
    await settle(40)
    const failed = failure<QueueError>(readable)
    queue.unlink()
    t.match(await failed, gone)
    t.same(texts((await failed).frames ?? []), ['abc'])
  })
})

test('notify is ENOTSUP', async (t) => {
  await t.rejects(openQueue(t, 'sysv').notify(), { name: 'QueueError', code: 'ENOTSUP' })
})

test('limits that change under an open queue', { skip: noNamespace }, async (t) => {
  t.test('a message from before msgmax was lowered is received', async (t) => {
    const seen = await inChild(
      async ({ open, setLimits }) => {
        setLimits({ sysv: { msgmax: 32768, msgmnb: 65536 } })
        const queue = open({ private: true })
        for (let i = 0; i < 2; i++) await queue.send(Buffer.alloc(20000))
        setLimits({ sysv: { msgmax: 1024 } })
        const again = open({ id: queue.id })
        return [again.tryReceive()?.data.length, (await again.receive()).data.length]
      },
      { command: ownNamespace },
    )
    t.same(seen, [20000, 20000])
  })

  t.test('it cannot be peeked at, and the hint says so', async (t) => {
    const error = await inChild(
      async ({ open, setLimits }) => {
        setLimits({ sysv: { msgmax: 32768, msgmnb: 65536 } })
        const queue = open({ private: true })
        await queue.send(Buffer.alloc(20000))
        setLimits({ sysv: { msgmax: 1024 } })
        try {
          return queue.peek()
        } catch (error) {
          const { code, hint } = error as { code: string; hint: string }
          return { code, hint }
        }
      },
      { command: ownNamespace },
    )
    t.match(error, { code: 'EINVAL', hint: /msgmax was lowered to 1024/ })
  })

  t.test('a message above a msgmax that was raised since is sent and received', async (t) => {
    const seen = await inChild(
      async ({ open, setLimits }) => {
        const queue = open({ private: true })
        const waiting = queue.receive()
        setLimits({ sysv: { msgmax: 32768, msgmnb: 65536 } })
        const other = open({ id: queue.id })
        other.configure({ maxBytes: 65536 })
        await other.send(Buffer.alloc(20000))
        await queue.send(Buffer.alloc(20000))
        return [(await waiting).data.length, (await queue.receive()).data.length]
      },
      { command: ownNamespace },
    )
    t.same(seen, [20000, 20000])
  })
})
