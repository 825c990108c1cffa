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
  /** Calls that succeed before the one that fails. */
  after?: number
  /** Where the errno is told under another name: a stale identifier is EINVAL to the kernel. */
  told?: Record<string, string>
}

const sysv: Case[] = [
  {
    operation: 'send',
    call: 'msgsnd',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
    told: { EINVAL: 'EMSGSIZE' },
  },
  {
    operation: 'trySend',
    call: 'msgsnd',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
    told: { EINVAL: 'EMSGSIZE' },
  },
  {
    operation: 'writable',
    call: 'msgsnd',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
    told: { EINVAL: 'EMSGSIZE' },
  },
  {
    operation: 'send to the full queue',
    call: 'msgsnd',
    after: 1,
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
    told: { EINVAL: 'EMSGSIZE' },
  },
  {
    operation: 'receive',
    call: 'msgrcv',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOSYS'],
  },
  {
    operation: 'tryReceive',
    call: 'msgrcv',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOSYS'],
  },
  {
    operation: 'readable',
    call: 'msgrcv',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOSYS'],
  },
  {
    operation: 'readable with ack',
    call: 'msgrcv',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOSYS'],
  },
  { operation: 'clear', call: 'msgrcv', errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL'] },
  { operation: 'peek', call: 'msgrcv', errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOSYS'] },
  {
    operation: 'wait for a type',
    call: 'msgrcv',
    after: 1,
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL', 'ENOMEM'],
  },
  { operation: 'wait for a type', call: 'pthread_create', errors: ['EAGAIN', 'ENOMEM', 'EPERM'] },
  { operation: 'ack wait for a type', call: 'pthread_create', errors: ['EAGAIN', 'EPERM'] },
  {
    operation: 'send to the full queue',
    call: 'pthread_create',
    errors: ['EAGAIN', 'ENOMEM', 'EPERM'],
  },
  {
    operation: 'stats',
    call: 'msgctl',
    errors: ['EACCES', 'EFAULT', 'EIDRM', 'EINVAL'],
    told: { EINVAL: 'EINVAL' },
  },
  { operation: 'configure', call: 'msgctl', errors: ['EACCES', 'EFAULT', 'EIDRM', 'EPERM'] },
  { operation: 'unlink', call: 'msgctl', errors: ['EACCES', 'EFAULT', 'EIDRM', 'EPERM'] },
  { operation: 'list', call: 'msgctl', errors: ['EACCES', 'EFAULT', 'EINVAL'] },
  { operation: 'open', call: 'msgget', errors: ['EACCES', 'ENOENT', 'ENOMEM', 'ENOSPC'] },
  { operation: 'create', call: 'msgget', errors: ['EACCES', 'ENOMEM', 'ENOSPC', 'EEXIST'] },
]

const posix: Case[] = [
  { operation: 'send', call: 'mq_send', errors: ['EBADF', 'EINVAL', 'EMSGSIZE'] },
  { operation: 'trySend', call: 'mq_send', errors: ['EBADF', 'EINVAL', 'EMSGSIZE'] },
  { operation: 'writable', call: 'mq_send', errors: ['EBADF', 'EINVAL', 'EMSGSIZE'] },
  { operation: 'receive', call: 'mq_receive', errors: ['EBADF', 'EINVAL'] },
  { operation: 'tryReceive', call: 'mq_receive', errors: ['EBADF', 'EINVAL'] },
  { operation: 'readable', call: 'mq_receive', errors: ['EBADF', 'EINVAL'] },
  { operation: 'clear', call: 'mq_receive', errors: ['EBADF', 'EINVAL'] },
  { operation: 'stats', call: 'mq_getattr', errors: ['EBADF', 'EINVAL'] },
  { operation: 'unlink', call: 'mq_unlink', errors: ['EACCES', 'ENOENT', 'ENAMETOOLONG'] },
  { operation: 'notify', call: 'mq_notify', errors: ['EBADF', 'EBUSY', 'EINVAL', 'ENOMEM'] },
  {
    operation: 'notify',
    call: 'socket',
    errors: ['EACCES', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  },
  {
    operation: 'open',
    call: 'mq_open',
    errors: ['EACCES', 'EINVAL', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOMEM', 'ENOSPC'],
  },
  {
    operation: 'create',
    call: 'mq_open',
    errors: ['EACCES', 'EEXIST', 'EINVAL', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC'],
  },
]

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
    'ack wait for a type': () => reading({ ack: true, ...selected }),
    clear: () => queue.clear(),
    peek: () => (queue as import('kernelmq').SysVQueue).peek(),
    stats: () => queue.stats(),
    configure: () => queue.configure({ mode: 0o600 }),
    unlink: () => queue.unlink(),
    list: () => list(),
    notify: () => (queue as import('kernelmq').PosixQueue).notify(),
    open: () => open(addresses.queue),
    create: () => open(addresses.fresh, { create: true, exclusive: true }),
  }
  const outcomes: Outcome[] = []
  for (const { operation, call, errors, after = 0 } of cases) {
    for (const injected of errors) {
      for (const text of ['a', 'b', 'c']) await queue.send(text)
      if (operation === 'send to the full queue') await queue.send('ddddd', { type: 8 })
      let failed: Failure | undefined
      faults.arm(call as never, injected, { after })
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
    const expected = cases.flatMap(({ operation, call, errors, told = {} }) =>
      errors.map((injected) => ({
        operation,
        injected,
        hits: 1,
        code: told[injected] ?? injected,
        syscall: call,
        left: 'abc',
      })),
    )
    t.equal(outcomes.length, expected.length)
    for (const [i, outcome] of outcomes.entries()) {
      t.same(outcome, expected[i], `${outcome.operation}: ${outcome.injected}`)
    }
  })
}
