/** The system's limits, reached for real: each refusal says which limit, its value, and what to do. */
import { test } from 'tap'
import { inChild, noNamespace, ownNamespace } from './fixtures/child.js'

/** CAP_SYS_RESOURCE passes the limits of POSIX queues, so it is given up. */
const unprivileged = [...ownNamespace, 'setpriv', '--bounding-set', '-sys_resource']

/** Lowers a limit, creates queues until one is refused, and tells how many there were and why. */
function createUntilRefused(
  kind: 'posix' | 'sysv',
  limits: object,
  command: readonly string[] = ownNamespace,
): Promise<{ created: number; code: string; syscall: string; hint: string }> {
  return inChild(
    ({ open, setLimits }, kind, limits) => {
      setLimits(limits)
      for (let created = 0; ; created++) {
        const address = kind === 'posix' ? `/kernelmq-limits-${created}` : `sysv:${created + 1}`
        const size = kind === 'posix' ? { maxMessages: 1, maxMessageSize: 100 } : {}
        try {
          open(address, { create: true, ...size })
        } catch (error) {
          const { code, syscall, hint } = error as Record<string, string>
          return { created, code, syscall, hint } as never
        }
      }
    },
    { args: [kind, limits], command },
  )
}

test('the number of POSIX queues: queues_max', { skip: noNamespace }, async (t) => {
  const refused = await createUntilRefused('posix', { posix: { queues_max: 3 } }, unprivileged)
  t.match(refused, { created: 3, code: 'ENOSPC', syscall: 'mq_open', hint: /queues_max.*3/ })
})

test('the number of System V queues: msgmni', { skip: noNamespace }, async (t) => {
  const refused = await createUntilRefused('sysv', { sysv: { msgmni: 3 } })
  t.match(refused, { created: 3, code: 'ENOSPC', syscall: 'msgget', hint: /msgmni.*3/ })
})

test('… which goes no further than 32768', { skip: noNamespace }, async (t) => {
  const refused = await createUntilRefused('sysv', { sysv: { msgmni: 16_385 } })
  t.match(refused, { created: 16_385, hint: /kernel\.msgmni=32768, the most/ })
  const atMost = await createUntilRefused('sysv', { sysv: { msgmni: 32_768 } })
  t.match(atMost, { created: 32_768, hint: /ipcmni_extend/ })
})

test('the bytes of all POSIX queues: RLIMIT_MSGQUEUE', { skip: noNamespace }, async (t) => {
  // What others of this user hold counts, too: a limit below one queue's cost refuses the first.
  const command = [...ownNamespace, 'prlimit', '--msgqueue=150']
  const refused = await createUntilRefused('posix', {}, command)
  t.match(refused, { created: 0, code: 'EMFILE', syscall: 'mq_open', hint: /RLIMIT_MSGQUEUE.*150/ })
})

test('messages of a POSIX queue: msg_max and msgsize_max', { skip: noNamespace }, async (t) => {
  const hints = await inChild(
    ({ open, setLimits }) => {
      setLimits({ posix: { msg_max: 5, msgsize_max: 200 } })
      return [
        { maxMessages: 6, maxMessageSize: 100 },
        { maxMessages: 5, maxMessageSize: 201 },
        { maxMessages: 65_537, maxMessageSize: 2 ** 24 + 1 },
      ].map((size) => {
        try {
          open('/kernelmq-limits', { create: true, ...size }).unlink()
          return { code: 'none' }
        } catch (error) {
          const { code, hint } = error as Record<string, string>
          return { code, hint }
        }
      })
    },
    { command: unprivileged },
  )
  t.match(hints, [
    { code: 'EINVAL', hint: /msg_max.*5/ },
    { code: 'EINVAL', hint: /msgsize_max.*200/ },
    { code: 'EINVAL', hint: /msg_max=65536, the most .*msgsize_max=16777216, the most / },
  ])
})
