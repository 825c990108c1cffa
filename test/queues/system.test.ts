import { readFileSync } from 'node:fs'
import { getuid } from 'node:process'
import { limits, list, open, type PosixStats, posixCost, setLimits } from 'kernelmq'
import { test } from 'tap'
import { inChild, noNamespace, ownNamespace } from '../fixtures/child.js'
import { openQueue } from '../fixtures/queues.js'
import { asOrdinaryUser } from '../fixtures/users.js'

const sysctl = (path: string) => Number(readFileSync(`/proc/sys/${path}`))

test('limits', async (t) => {
  t.test('are those that /proc/sys shows', async (t) => {
    const { sysv, posix } = limits()
    t.match(sysv, {
      msgmax: sysctl('kernel/msgmax'),
      msgmnb: sysctl('kernel/msgmnb'),
      msgmni: sysctl('kernel/msgmni'),
    })
    t.match(posix, {
      msg_max: sysctl('fs/mqueue/msg_max'),
      msgsize_max: sysctl('fs/mqueue/msgsize_max'),
      queues_max: sysctl('fs/mqueue/queues_max'),
      msg_default: sysctl('fs/mqueue/msg_default'),
      msgsize_default: sysctl('fs/mqueue/msgsize_default'),
      priorityMax: 32767,
    })
    t.ok(posix.mount === null || typeof posix.mount === 'string')
  })

  t.test('have RLIMIT_MSGQUEUE of this process', async (t) => {
    const [, soft, hard] =
      /Max msgqueue size\s+(\S+)\s+(\S+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    const number = (text?: string) => (text === 'unlimited' ? Infinity : Number(text))
    t.same(limits().posix.rlimit, { soft: number(soft), hard: number(hard) })
  })

  t.test('count what all queues hold', { skip: noNamespace }, async (t) => {
    const used = await inChild(
      async ({ open, limits }) => {
        const seen = [limits().sysv.used]
        const queues = [open({ private: true }), open({ private: true })]
        await queues[0]?.send('abc')
        await queues[1]?.send('de')
        seen.push(limits().sysv.used)
        return seen
      },
      { command: ownNamespace },
    )
    t.same(used, [
      { queues: 0, messages: 0, bytes: 0 },
      { queues: 2, messages: 2, bytes: 5 },
    ])
  })
})

test('setLimits', async (t) => {
  t.test('writes each of them', { skip: noNamespace }, async (t) => {
    const wanted = {
      sysv: { msgmax: 9001, msgmnb: 20001, msgmni: 17 },
      posix: {
        msg_max: 21,
        msgsize_max: 9002,
        queues_max: 19,
        msg_default: 5,
        msgsize_default: 500,
      },
    }
    const seen = await inChild(
      ({ limits, setLimits }, wanted) => {
        setLimits(wanted)
        setLimits({})
        setLimits({ sysv: {} })
        return limits()
      },
      { command: ownNamespace, args: [wanted] },
    )
    t.match(seen, wanted)
  })

  t.test('what the kernel does not take is EINVAL', { skip: noNamespace }, async (t) => {
    const error = await inChild(
      ({ setLimits }) => {
        try {
          setLimits({ posix: { msg_max: 0 } })
          return undefined
        } catch (error) {
          return { ...(error as object), message: (error as Error).message }
        }
      },
      { command: ownNamespace },
    )
    t.match(error, { code: 'EINVAL', message: /fs\.mqueue\.msg_max/, hint: /does not take 0/ })
  })

  t.test('is EROFS where /proc/sys is read-only', { skip: noNamespace }, async (t) => {
    const error = await inChild(
      async ({ setLimits }) => {
        const { execFileSync } = await import('node:child_process')
        execFileSync('mount', ['--bind', '/proc/sys', '/proc/sys'])
        execFileSync('mount', ['-o', 'remount,bind,ro', '/proc/sys'])
        try {
          setLimits({ sysv: { msgmax: 9001 } })
          return undefined
        } catch (error) {
          return error
        }
      },
      { command: ownNamespace },
    )
    t.match(error, { code: 'EROFS', hint: /read-only/ })
  })

  t.test('is EACCES or EPERM for an ordinary user', async (t) => {
    asOrdinaryUser(() => {
      t.throws(() => setLimits({ sysv: { msgmax: limits().sysv.msgmax } }), {
        name: 'QueueError',
        code: /^(EACCES|EPERM)$/,
        hint: /root/,
      })
    })
  })
})

test('list', async (t) => {
  t.test('has every System V queue, also one that we may not read', async (t) => {
    const queue = openQueue(t, 'sysv')
    await queue.send('abc')
    const hidden = asOrdinaryUser(() => openQueue(t, 'sysv', { mode: 0 }))
    const found = list()
    t.same(
      found.find(({ address }) => address === queue.address),
      queue.stats(),
    )
    asOrdinaryUser(() => {
      const stats = list().find(({ address }) => address === hidden.address)
      t.match(stats, { kind: 'sysv', id: hidden.id, mode: 0 })
    })
  })

  t.test('names private queues by id', async (t) => {
    const queue = open({ private: true })
    t.teardown(() => queue.unlink())
    t.ok(list().some(({ address }) => address === `sysv:id=${queue.id}`))
  })

  t.test(
    'has POSIX queues where their file system is mounted',
    { skip: noNamespace },
    async (t) => {
      const seen = await inChild(
        async ({ open, list, limits }) => {
          const { execFileSync } = await import('node:child_process')
          const { mkdtempSync } = await import('node:fs')
          const queue = open('/listed', { create: true, maxMessages: 2, maxMessageSize: 16 })
          await queue.send('abc')
          const where = mkdtempSync('/tmp/kernelmq mqueue ')
          execFileSync('mount', ['-t', 'tmpfs', 'none', where])
          execFileSync('mount', ['-t', 'mqueue', 'none', where])
          const result = { mount: limits().posix.mount, where, list: list(), stats: queue.stats() }
          execFileSync('umount', [where])
          execFileSync('umount', [where])
          execFileSync('rmdir', [where])
          return result
        },
        { command: ownNamespace },
      )
      t.ok(seen.mount)
      const found = seen.list.find(({ address }) => address === '/listed') as PosixStats
      t.match(found, { kind: 'posix', messages: 1, bytes: 3, maxMessages: 2, mode: 0o600 })
      t.same({ ...found, nonBlocking: true }, seen.stats)
    },
  )

  t.test(
    'has POSIX queues that we may not read, and NaN for what is in them',
    { skip: noNamespace || (process.getuid?.() !== 0 && 'only root can become another user') },
    async (t) => {
      const seen = await inChild(
        async ({ open, list }) => {
          const { execFileSync } = await import('node:child_process')
          const { mkdtempSync } = await import('node:fs')
          open('/hidden', { create: true, maxMessages: 2, maxMessageSize: 16 })
          const where = mkdtempSync('/tmp/kernelmq-mqueue-')
          execFileSync('mount', ['-t', 'mqueue', 'none', where])
          process.seteuid?.(65_534)
          const stats = list().find(({ address }) => address === '/hidden')
          process.seteuid?.(0)
          execFileSync('umount', [where])
          execFileSync('rmdir', [where])
          const { messages, bytes, mode, uid } = stats ?? {}
          return { mode, uid, unknown: [messages, bytes].map(Number.isNaN) }
        },
        { command: ownNamespace },
      )
      t.same(seen, { mode: 0o600, uid: 0, unknown: [true, true] })
    },
  )
})

test('posixCost', async (t) => {
  t.equal(posixCost(10, 8192), 82_880)
  t.equal(posixCost(1, 1), 97)
  // No more than 32768 priorities have a node each.
  t.equal(posixCost(32_768, 1), 32_768 * 97)
  t.equal(posixCost(40_000, 1), 40_000 * 49 + 32_768 * 48)

  t.test('is what the kernel charges', { skip: noNamespace }, async (t) => {
    // As a user with no other queue: RLIMIT_MSGQUEUE counts all of one user's.
    const cost = posixCost(7, 100)
    for (const [limit, code] of [
      [cost, 'open'],
      [cost - 1, 'EMFILE'],
    ] as const) {
      const user = getuid?.() === 0 ? ['setpriv', '--reuid=54321', '--clear-groups'] : []
      const seen = await inChild(
        ({ open }) => {
          try {
            open('/cost', { create: true, maxMessages: 7, maxMessageSize: 100 })
            return 'open'
          } catch (error) {
            return (error as NodeJS.ErrnoException).code
          }
        },
        { command: [...ownNamespace, `prlimit`, `--msgqueue=${limit}:${limit}`, ...user] },
      )
      t.equal(seen, code, `RLIMIT_MSGQUEUE ${limit}`)
    }
  })
})
