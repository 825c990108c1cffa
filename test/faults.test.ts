/**
 * Every system call of the addon made to fail with every errno that it can give: each failure reaches
 * JavaScript with its code and call, nothing is lost, and the queue works on. EINTR never shows.
 */
import t from 'tap'
import { noFaults, withFaults } from './fixtures/fault.js'
import { unusedAddress } from './fixtures/queues.js'

/** What an operation said, and whether the queue is as it should be after it. */
interface Outcome {
  operation: string
  injected: string
  hits: number
  code: string | undefined
  syscall: string | undefined
  /** What was queued before, taken out after: in order. */
  left: string
}

interface Case {
  operation: string
  call: string
  errors: string[]
  /** It is the call that waits that fails. */
  waits?: boolean
  /** Where the errno is told under another name. */
  told?: Record<string, string>
  /** Where the call is told by the library function that it is part of. */
  within?: string
}

interface Row extends Omit<Case, 'operation'> {
  operations: string[]
}

/** A case for each operation of each row. */
function casesOf(rows: Row[]): Case[] {
  return rows.flatMap(({ operations, ...rest }) =>
    operations.map((operation) => ({ operation, ...rest })),
  )
}

const sysv = casesOf([
  // First, while no thread of an earlier wait is there to be used again.
  {
    operations: ['wait for a type'],
    call: 'pthread_create',
    errors: ['EAGAIN', 'ENOMEM', 'EPERM'],
  },
  {
    operations: ['wait of a readable with ack'],
    call: 'pthread_create',
    errors: ['EAGAIN', 'EPERM'],
  },
  {
    operations: ['send to the full queue'],
    call: 'pthread_create',
    errors: ['EAGAIN', 'ENOMEM', 'EPERM'],
  },
  {
    operations: ['send', 'trySend', 'writable'],
    call: 'msgsnd',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
    told: { EINVAL: 'EMSGSIZE' },
  },
  {
    operations: ['send to the full queue'],
    call: 'msgsnd',
    waits: true,
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
    told: { EINVAL: 'EMSGSIZE' },
  },
  {
    operations: ['receive', 'tryReceive', 'readable', 'readable with ack', 'peek'],
    call: 'msgrcv',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOSYS'],
  },
  { operations: ['clear'], call: 'msgrcv', errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL'] },
  {
    operations: ['wait for a type', 'wait of a readable with ack', 'wait of a readable'],
    call: 'msgrcv',
    waits: true,
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
  },
  {
    operations: ['stats'],
    call: 'msgctl',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL'],
  },
  {
    operations: ['configure', 'unlink'],
    call: 'msgctl',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EPERM'],
  },
  { operations: ['list'], call: 'msgctl', errors: ['EACCES', 'EFAULT', 'EINVAL'] },
  { operations: ['open'], call: 'msgget', errors: ['EACCES', 'ENOENT', 'ENOMEM', 'ENOSPC'] },
  { operations: ['create'], call: 'msgget', errors: ['EACCES', 'ENOMEM', 'ENOSPC', 'EEXIST'] },
])

const posix = casesOf([
  {
    operations: ['send', 'trySend', 'writable'],
    call: 'mq_send',
    errors: ['EBADF', 'EINVAL', 'EMSGSIZE'],
  },
  {
    operations: ['receive', 'tryReceive', 'readable', 'clear'],
    call: 'mq_receive',
    errors: ['EBADF', 'EINVAL'],
  },
  { operations: ['stats'], call: 'mq_getattr', errors: ['EBADF', 'EINVAL'] },
  { operations: ['unlink'], call: 'mq_unlink', errors: ['EACCES', 'ENOENT', 'ENAMETOOLONG'] },
  { operations: ['notify'], call: 'mq_notify', errors: ['EBADF', 'EBUSY', 'EINVAL', 'ENOMEM'] },
  {
    operations: ['notify'],
    call: 'socket',
    within: 'mq_notify',
    errors: ['EACCES', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  },
  {
    operations: ['wait by descriptor'],
    call: 'epoll_create1',
    within: 'epoll_ctl',
    errors: ['EMFILE', 'ENFILE', 'ENOMEM'],
  },
  { operations: ['wait by descriptor'], call: 'epoll_ctl', errors: ['ENOMEM', 'ENOSPC'] },
  {
    operations: ['open'],
    call: 'mq_open',
    errors: ['EACCES', 'EINVAL', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOMEM', 'ENOSPC'],
  },
  {
    operations: ['create'],
    call: 'mq_open',
    errors: ['EACCES', 'EEXIST', 'EINVAL', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC'],
  },
])

/** In the child: every case with every errno. */
async function runCases(
  kernelmq: typeof import('kernelmq'),
  faults: import('./fixtures/fault.js').Faults,
  addresses: { queue: string; fresh: string },
  cases: Case[],
): Promise<Outcome[]> {
  const { open, unlink, list } = kernelmq
  type Failure = { code?: string; syscall?: string }
  const posix = addresses.queue.startsWith('/')
  const queue = open(addresses.queue, {
    create: true,
    exclusive: true,
    ...(posix ? { maxMessages: 4, maxMessageSize: 8 } : { maxBytes: 8 }),
  })
  const failure = (stream: import('node:stream').Stream) =>
    new Promise<never>((_, reject) => stream.once('error', reject))
  const selected = posix ? {} : { type: 9 }
  const reading = (options: object) => {
    const reader = queue.readable(options)
    reader.resume()
    return failure(reader)
  }
  const operations: Record<string, () => unknown> = {
    send: () => queue.send('x'),
    trySend: () => queue.trySend('x'),
    writable() {
      const writer = queue.writable()
      writer.write('x')
      return failure(writer)
    },
    'send to the full queue': () => queue.send('x'),
    receive: () => queue.receive(),
    tryReceive: () => queue.tryReceive(),
    readable: () => reading({}),
    'readable with ack': () => reading({ ack: true }),
    'wait for a type': () => queue.receive(selected),
    'wait of a readable': () => reading(selected),
    'wait of a readable with ack': () => reading({ ack: true, ...selected }),
    clear: () => queue.clear(),
    peek: () => (queue as import('kernelmq').SysVQueue).peek(),
    stats: () => queue.stats(),
    configure: () => queue.configure({ mode: 0o600 }),
    unlink: () => queue.unlink(),
    list: () => list(),
    async 'wait by descriptor'() {
      const { constants, openSync } = await import('node:fs')
      const { O_RDWR, O_NONBLOCK } = constants
      const own = (queue as import('kernelmq').PosixQueue).fd
      const fd = openSync(`/proc/self/fd/${own}`, O_RDWR | O_NONBLOCK)
      const inherited = open({ fd })
      queue.clear()
      try {
        await inherited.receive()
      } finally {
        await inherited.close()
        for (const text of ['a', 'b', 'c']) await queue.send(text)
      }
    },
    notify: () => (queue as import('kernelmq').PosixQueue).notify(),
    open: () => open(addresses.queue),
    create: () => open(addresses.fresh, { create: true, exclusive: true }),
  }
  const outcomes: Outcome[] = []
  for (const { operation, call, errors, waits = false } of cases) {
    for (const injected of errors) {
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      if (operation === 'send to the full queue') await queue.send('ddddd', { type: 8 })
      let failed: Failure | undefined
      faults.arm(call as never, injected, { waits })
      try {
        await operations[operation]?.()
      } catch (error) {
        failed = error as Failure
      }
      const hits = faults.disarm()
      let left = ''
      for (;;) {
        const frame = queue.tryReceive()
        if (!frame) break
        if (frame.type !== 8) left += frame.data
      }
      outcomes.push({
        operation,
        injected,
        hits,
        code: failed?.code,
        syscall: failed?.syscall,
        left,
      })
    }
  }
  await queue.close()
  unlink(addresses.queue)
  return outcomes
}

for (const [kind, cases] of [
  ['sysv', sysv],
  ['posix', posix],
] as const) {
  t.test(`${kind}: every call with every errno`, { skip: noFaults }, async (t) => {
    const addresses = { queue: unusedAddress(t, kind), fresh: unusedAddress(t, kind) }
    const outcomes = await withFaults(runCases, addresses, cases)
    const expected = cases.flatMap(({ operation, call, errors, told = {}, within = call }) =>
      errors.map((injected) => ({
        operation,
        injected,
        hits: 1,
        code: told[injected] ?? injected,
        syscall: within,
        left: 'abc',
      })),
    )
    t.equal(outcomes.length, expected.length)
    for (const [i, outcome] of outcomes.entries()) {
      t.same(outcome, expected[i], `${outcome.operation}: ${outcome.injected}`)
    }
  })
}

/** In the child: every operation while its calls are interrupted. */
async function interrupt(
  { open, unlink }: typeof import('kernelmq'),
  faults: import('./fixtures/fault.js').Faults,
  address: string,
): Promise<{ operation: string; hits: number; got: string | undefined }[]> {
  const posix = address.startsWith('/')
  const [send, receive] = posix
    ? (['mq_send', 'mq_receive'] as const)
    : (['msgsnd', 'msgrcv'] as const)
  const small = posix ? { maxMessages: 1, maxMessageSize: 8 } : { maxBytes: 8 }
  faults.arm(posix ? 'mq_open' : 'msgget', posix ? 'EINTR' : 'ENOENT', { times: 1 })
  const queue = open(address, { create: true, ...small })
  const results = [{ operation: 'open', hits: faults.disarm(), got: 'ok' as string | undefined }]
  const attempt = async (
    operation: string,
    call: typeof send | typeof receive,
    waits: boolean,
    run: () => Promise<string | undefined>,
  ) => {
    faults.arm(call, 'EINTR', { times: 3, waits })
    const got = await run()
    results.push({ operation, hits: faults.disarm(), got })
  }
  const text = async () => (await queue.receive()).data.toString()
  const interrupted = async () => {
    while (faults.hits() < 3) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await attempt('send', send, false, async () => {
    await queue.send('12345678')
    return 'ok'
  })
  await attempt('receive', receive, false, text)
  await attempt('tryReceive', receive, false, async () => {
    await queue.send('12345678')
    return queue.tryReceive()?.data.toString()
  })
  if (!posix) {
    await attempt('waiting receive', receive, true, async () => {
      const received = text()
      await interrupted()
      queue.trySend('12345678')
      return received
    })
    await attempt('waiting send', send, true, async () => {
      await queue.send('12345678')
      const sent = queue.send('abcdefgh')
      await interrupted()
      queue.tryReceive()
      await sent
      return text()
    })
  }
  await queue.close()
  unlink(address)
  return results
}

for (const kind of ['sysv', 'posix'] as const) {
  t.test(`${kind}: EINTR never shows`, { skip: noFaults }, async (t) => {
    const results = await withFaults(interrupt, unusedAddress(t, kind))
    const found = (operation: string, got: string, hits = 3) => ({ operation, hits, got })
    t.same(results, [
      found('open', 'ok', 1),
      found('send', 'ok'),
      found('receive', '12345678'),
      found('tryReceive', '12345678'),
      ...(kind === 'sysv'
        ? [found('waiting receive', '12345678'), found('waiting send', 'abcdefgh')]
        : []),
    ])
  })

  t.test(
    `${kind}: frames that cannot be put back are on the error`,
    { skip: noFaults },
    async (t) => {
      const outcome = await withFaults(
        async ({ open, unlink }, faults, address) => {
          const posix = address.startsWith('/')
          const queue = open(address, { create: true, ...(posix && { maxMessageSize: 8 }) })
          for (const text of ['a', 'b', 'c']) await queue.send(text)
          const reader = queue.readable()
          await new Promise((resolve) => reader.once('readable', resolve))
          faults.arm(posix ? 'mq_send' : 'msgsnd', 'EINVAL', { after: 1, times: 100 })
          const failed = new Promise<import('kernelmq').QueueError>((resolve) =>
            reader.once('error', resolve as never),
          )
          reader.destroy()
          const { code, frames = [] } = await failed
          faults.disarm()
          const left = queue.tryReceive()?.data.toString()
          unlink(address)
          return { code, frames: frames.map(({ data }) => data.toString()), left }
        },
        unusedAddress(t, kind),
      )
      t.same(outcome, { code: 'ERR_FRAMES_LOST', frames: ['b', 'c'], left: 'a' })
    },
  )
}

t.test(
  'an ack that removed another message, and cannot send it back, has it on the error',
  { skip: noFaults },
  async (t) => {
    const outcome = await withFaults(
      async ({ open, unlink }, faults, address) => {
        const queue = open(address, { create: true })
        for (const text of ['first', 'second', 'x']) await queue.send(text)
        const reader = queue.readable({ ack: true })
        await new Promise((resolve) => reader.once('readable', resolve))
        const [first, second] = [reader.read(), reader.read()] as import('kernelmq').AckFrame[]
        first?.ack()
        // By this process too, so that msg_lrpid does not tell.
        queue.tryReceive()
        faults.arm('msgsnd', 'EAGAIN', { times: 100 })
        const failed = new Promise<import('kernelmq').QueueError>((resolve) =>
          reader.once('error', resolve as never),
        )
        const acknowledged = second?.ack()
        const { code, cause, frames = [] } = await failed
        faults.disarm()
        unlink(address)
        return {
          acknowledged,
          code,
          cause: (cause as import('kernelmq').QueueError | undefined)?.code,
          frames: frames.map(({ type, data }) => `${type} ${data}`),
        }
      },
      unusedAddress(t, 'sysv'),
    )
    t.same(outcome, {
      acknowledged: false,
      code: 'ERR_FRAMES_LOST',
      cause: 'ERR_ACK_CONFLICT',
      frames: ['1 x'],
    })
  },
)
