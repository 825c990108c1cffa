import { constants } from 'node:os'
import { AbortError, open, QueueError } from 'kernelmq'
import { test } from 'tap'
import { inChild, noNamespace, ownNamespace, type Package } from './fixtures/child.js'
import { openQueue, unusedAddress } from './fixtures/queues.js'

interface Refusal {
  code: string
  hint: string
  syscall: string
}

/** How the kernel refuses what a child does in namespaces of its own. */
function refusal(
  body: (kernelmq: Package) => unknown,
  command: readonly string[] = [],
): Promise<Refusal> {
  const attempt = `async (kernelmq) => {
    try {
      await (${body})(kernelmq)
      return { code: 'none' }
    } catch (error) {
      const { code, hint, syscall } = error
      return { code, hint, syscall }
    }
  }`
  return inChild(new Function(`return ${attempt}`)() as () => Refusal, {
    command: [...ownNamespace, ...command],
  })
}

test('a failed system call is a QueueError that says which and where', async (t) => {
  const address = unusedAddress(t, 'posix')
  try {
    open(address)
    t.fail('there is none')
  } catch (error) {
    t.ok(error instanceof QueueError)
    t.ok(error instanceof Error)
    t.match(error, {
      name: 'QueueError',
      code: 'ENOENT',
      errno: -constants.errno.ENOENT,
      syscall: 'mq_open',
      address,
      message: `there is no such queue (ENOENT: mq_open ${address})`,
    })
    t.notOk(Object.hasOwn(error as object, 'hint'), 'no limit is the cause')
  }
})

test('every errno of the kernel’s has its name', async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.unlink()
  t.throws(() => queue.stats(), { code: 'EIDRM', errno: -constants.errno.EIDRM })
})

test('a message is in plain words', (t) => {
  const system =
    'EACCES EAGAIN EBADF EBUSY EEXIST EIDRM EINVAL EMFILE EMSGSIZE ENFILE ENOENT ENOMEM ENOSPC ENOSYS ENOTSUP EPERM ETIMEDOUT'
  const own = 'ERR_QUEUE_CLOSED ERR_FRAMES_LOST ERR_INVALID_MESSAGE ERR_ACK_CONFLICT'
  for (const code of `${system} ${own}`.split(' ')) {
    t.match(new QueueError(code).message, new RegExp(`^[a-z][a-z ]+ \\(${code}\\)$`))
  }
  t.end()
})

test('an AbortError is as Node’s', async (t) => {
  const queue = openQueue(t, 'sysv')
  const reason = new Error('why')
  const error = await queue.receive({ signal: AbortSignal.abort(reason) }).catch((e) => e)
  t.ok(error instanceof AbortError)
  t.match(error, { name: 'AbortError', code: 'ABORT_ERR', cause: reason })
})

test('hints', { skip: noNamespace }, async (t) => {
  t.test('EMFILE of mq_open tells of RLIMIT_MSGQUEUE and the cost', async (t) => {
    const error = await refusal(
      ({ open }) => open('/x', { create: true, maxMessages: 10, maxMessageSize: 8192 }),
      ['prlimit', '--msgqueue=1000:2000'],
    )
    t.match(error, { code: 'EMFILE', syscall: 'mq_open' })
    t.match(error.hint, /RLIMIT_MSGQUEUE/)
    t.match(error.hint, /82880 bytes/)
    t.match(error.hint, /\b1000\b/)
    t.match(error.hint, /by at least 82880$/)
  })

  t.test('EMFILE of mq_open for want of descriptors tells of RLIMIT_NOFILE', async (t) => {
    const error = await refusal(
      async ({ open }) => {
        const { openSync } = await import('node:fs')
        const queue = open('/x', { create: true, maxMessages: 1, maxMessageSize: 8 })
        try {
          for (;;) openSync('/dev/null', 'r')
        } catch {
          // All descriptors are used.
        }
        if (queue.closed) throw new Error('closed')
        open('/x')
      },
      ['prlimit', '--nofile=64:64'],
    )
    t.match(error, { code: 'EMFILE', syscall: 'mq_open' })
    t.match(error.hint, /RLIMIT_NOFILE/)
  })

  t.test('… also where the queue was to be created', async (t) => {
    const error = await refusal(
      async ({ open }) => {
        const { openSync } = await import('node:fs')
        try {
          for (;;) openSync('/dev/null', 'r')
        } catch {
          // All descriptors are used.
        }
        // Exclusive, or it would be looked for first.
        open('/x', { create: true, exclusive: true, maxMessages: 1, maxMessageSize: 8 })
      },
      ['prlimit', '--nofile=64:64'],
    )
    t.match(error, { code: 'EMFILE', syscall: 'mq_open' })
    t.match(error.hint, /RLIMIT_NOFILE/)
    t.notMatch(error.hint, /RLIMIT_MSGQUEUE/)
  })

  t.test('EINVAL of mq_open tells of msg_max', async (t) => {
    const error = await refusal(({ open }) => open('/x', { create: true, maxMessages: 1000 }))
    t.match(error, { code: 'EINVAL', syscall: 'mq_open' })
    t.match(
      error.hint,
      /maxMessages 1000 is above fs\.mqueue\.msg_max 10: sysctl -w fs\.mqueue\.msg_max=1000/,
    )
    t.notMatch(error.hint, /msgsize_max/)
  })

  t.test('EINVAL of mq_open beyond what msg_max can be says so', async (t) => {
    const error = await refusal(({ open, setLimits }) => {
      setLimits({ posix: { msg_max: 65536 } })
      open('/x', { create: true, maxMessages: 65537, maxMessageSize: 8 })
    })
    t.match(error, { code: 'EINVAL', syscall: 'mq_open' })
    t.match(error.hint, /msg_max 65536: that is the most that the kernel takes$/)
  })

  t.test('EINVAL of mq_open tells of msgsize_max', async (t) => {
    const error = await refusal(({ open }) => open('/x', { create: true, maxMessageSize: 9000 }))
    t.match(error, { code: 'EINVAL', syscall: 'mq_open' })
    t.match(error.hint, /maxMessageSize 9000 is above fs\.mqueue\.msgsize_max 8192.*=9000/)
  })

  t.test('ENOSPC of mq_open tells of queues_max', async (t) => {
    const error = await refusal(({ open, setLimits }) => {
      setLimits({ posix: { queues_max: 1 } })
      const size = { create: true, maxMessages: 1, maxMessageSize: 8 }
      open('/x', size)
      open('/y', size)
    })
    // CAP_SYS_RESOURCE, which root of a user namespace of its own has not over this, would pass it.
    t.match(error, { code: 'ENOSPC', syscall: 'mq_open' })
    t.match(error.hint, /fs\.mqueue\.queues_max allows 1 .*sysctl -w fs\.mqueue\.queues_max=2$/)
  })

  t.test('ENOSPC of msgget tells of msgmni', async (t) => {
    const error = await refusal(({ open, setLimits }) => {
      setLimits({ sysv: { msgmni: 2 } })
      for (let i = 0; i < 3; i++) open({ private: true })
    })
    t.match(error, { code: 'ENOSPC', syscall: 'msgget' })
    t.match(error.hint, /kernel\.msgmni allows 2 .*sysctl -w kernel\.msgmni=4$/)
  })

  t.test('EMSGSIZE tells of msgmax', async (t) => {
    const error = await refusal(({ open, setLimits }) => {
      setLimits({ sysv: { msgmax: 100 } })
      return open({ private: true }).send(Buffer.alloc(101))
    })
    t.match(error, { code: 'EMSGSIZE', syscall: 'msgsnd' })
    t.match(error.hint, /101 bytes are above kernel\.msgmax 100: sysctl -w kernel\.msgmax=101/)
  })

  t.test('EMSGSIZE tells of maxBytes', async (t) => {
    const error = await refusal(({ open }) =>
      open({ private: true }, { maxBytes: 100 }).send(Buffer.alloc(101)),
    )
    t.match(error, { code: 'EMSGSIZE' })
    t.match(error.hint, /101 bytes are above the queue's maxBytes 100: /)
    t.match(error.hint, /configure\(\{ maxBytes: 101 \}\), up to kernel\.msgmnb 16384$/)
  })

  t.test('EMSGSIZE tells of maxMessageSize', async (t) => {
    const error = await refusal(({ open }) =>
      open('/x', { create: true, maxMessages: 1, maxMessageSize: 100 }).send(Buffer.alloc(101)),
    )
    t.match(error, { code: 'EMSGSIZE', syscall: 'mq_send' })
    t.match(error.hint, /101 bytes are above the queue's maxMessageSize 100, /)
    t.match(error.hint, /\{ maxMessageSize: 101 \}, up to fs\.mqueue\.msgsize_max 8192$/)
  })

  t.test('EMSGSIZE of what no POSIX queue takes says so', async (t) => {
    const error = await refusal(({ open }) =>
      open('/x', { create: true, maxMessages: 1, maxMessageSize: 100 }).send(
        Buffer.alloc(2 ** 24 + 1),
      ),
    )
    t.match(error, { code: 'EMSGSIZE' })
    t.match(error.hint, /16777217 bytes are above 16777216, the most of any POSIX queue$/)
  })

  t.test('EPERM for maxBytes tells of msgmnb', async (t) => {
    const error = await refusal(
      ({ open }) => open({ private: true }, { maxBytes: 100_000 }),
      process.getuid?.() === 0 ? ['setpriv', '--reuid=54321', '--clear-groups'] : [],
    )
    t.match(error, { code: 'EPERM', syscall: 'msgctl' })
    t.match(error.hint, /kernel\.msgmnb 16384.*=100000/)
  })
})

test('EINTR never surfaces', async (t) => {
  for (const kind of ['posix', 'sysv'] as const) {
    const queue = openQueue(t, kind)
    let caught = 0
    const count = () => caught++
    process.on('SIGUSR2', count)
    const waiting = queue.receive()
    while (caught < 20) {
      process.kill(process.pid, 'SIGUSR2')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await queue.send('x')
    t.equal((await waiting).data.toString(), 'x')
    process.off('SIGUSR2', count)
  }
})
