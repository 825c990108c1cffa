/** What other users may do with a queue. They are real ones: the tests need root to become them. */
import { open, type SysVQueue } from 'kernelmq'
import { test } from 'tap'
import { inChild } from './fixtures/child.js'
import { kinds, openQueue, unusedAddress } from './fixtures/queues.js'

const OWNER = 20_001
const OTHER = 20_002
const GROUP = 20_003
const CREATOR = 20_004

const skip = process.getuid?.() === 0 ? false : 'only root can become another user'

/** All POSIX queues of a user share one limit. */
const small = { posix: { maxMessages: 1, maxMessageSize: 64 }, sysv: {} }

/** What each attempt comes to: `ok`, or the code of its error. */
type Attempts = Record<string, string>

/** Opens, uses, changes and removes a queue as another user, and tells how each went. */
function attemptAs(uid: number, gid: number, address: string): Promise<Attempts> {
  return inChild(
    async ({ open, unlink }, uid, gid, address) => {
      process.setgroups?.([])
      process.setgid?.(gid)
      process.setuid?.(uid)
      const attempts: Record<string, string> = {}
      const attempt = async (what: string, call: () => unknown) => {
        try {
          await call()
          attempts[what] = 'ok'
        } catch (error) {
          attempts[what] = (error as NodeJS.ErrnoException).code ?? String(error)
        }
      }
      for (const access of ['read', 'write', 'read-write'] as const) {
        await attempt(access, () => open(address, { access }).close())
      }
      await attempt('unlink', () => unlink(address))
      return attempts
    },
    { args: [uid, gid, address] },
  )
}

for (const kind of kinds) {
  test(`${kind}: a queue of mode 0600, the default, is closed to others`, { skip }, async (t) => {
    const { address } = openQueue(t, kind)
    const attempts = await attemptAs(OTHER, GROUP, address)
    t.match(attempts, { read: 'EACCES', write: 'EACCES', 'read-write': 'EACCES' })
    t.match(attempts.unlink, /^(EPERM|EACCES)$/)
  })

  test(`${kind}: others have the permissions of the mode and no more`, { skip }, async (t) => {
    const { address } = openQueue(t, kind, { mode: 0o604 })
    const attempts = await attemptAs(OTHER, GROUP, address)
    t.match(attempts, { read: 'ok', write: 'EACCES', 'read-write': 'EACCES' })
  })

  test(`${kind}: the group has the permissions of the mode and no more`, { skip }, async (t) => {
    const queue = openQueue(t, kind, { mode: 0o620 })
    queue.configure({ gid: GROUP })
    const attempts = await attemptAs(OTHER, GROUP, queue.address)
    t.match(attempts, { read: 'EACCES', write: 'ok', 'read-write': 'EACCES' })
    t.match(await attemptAs(OTHER, OTHER, queue.address), { write: 'EACCES' }, 'not in the group')
  })

  test(`${kind}: a queue given to another user is that user's`, { skip }, async (t) => {
    const queue = openQueue(t, kind)
    queue.configure({ uid: OWNER })
    t.strictSame(await attemptAs(OWNER, GROUP, queue.address), {
      read: 'ok',
      write: 'ok',
      'read-write': 'ok',
      unlink: 'ok',
    })
    t.throws(() => open(queue.address), { code: 'ENOENT' })
  })

  test(`${kind}: others change neither mode nor owner`, { skip }, async (t) => {
    const queue = openQueue(t, kind, { mode: 0o666 })
    const codes = await inChild(
      ({ open }, address, uid) => {
        process.setgroups?.([])
        process.setuid?.(uid)
        const queue = open(address)
        return [{ mode: 0o777 }, { uid }].map((change) => {
          try {
            queue.configure(change)
            return 'ok'
          } catch (error) {
            return (error as NodeJS.ErrnoException).code
          }
        })
      },
      { args: [queue.address, OTHER] },
    )
    t.strictSame(codes, ['EPERM', 'EPERM'])
    t.match(queue.stats(), { mode: 0o666, uid: 0 })
  })

  test(`${kind}: who has squatted on an address is refused or seen`, { skip }, async (t) => {
    const address = unusedAddress(t, kind)
    await inChild(
      ({ open }, address, uid, options) => {
        process.setgroups?.([])
        process.setuid?.(uid)
        open(address, { create: true, mode: 0o666, ...options })
      },
      { args: [address, OTHER, small[kind]] },
    )
    t.throws(() => open(address, { create: true, exclusive: true }), { code: 'EEXIST' })
    const queue = open(address, { create: true })
    t.teardown(() => queue.close())
    t.match(queue.stats(), { uid: OTHER, mode: 0o666 })
  })

  for (const umask of [0o000, 0o777]) {
    test(`${kind}: umask ${umask.toString(8)} neither widens nor narrows a mode`, async (t) => {
      const address = unusedAddress(t, kind)
      const modes = await inChild(
        ({ open }, address, umask, options) => {
          process.umask(umask)
          return [0o600, 0o642].map((mode) => {
            const queue = open(address, { create: true, exclusive: true, mode, ...options })
            const seen = queue.stats().mode
            queue.unlink()
            return seen
          })
        },
        { args: [address, umask, small[kind]] },
      )
      t.strictSame(modes, [0o600, 0o642])
    })
  }
}

/** Who may open a queue that one user created and another one has been given, in two groups. */
const users = {
  owner: { uid: OWNER, gid: OTHER, groups: [] },
  creator: { uid: CREATOR, gid: OTHER, groups: [] },
  'the group': { uid: OTHER, gid: GROUP, groups: [] },
  "the creator's group": { uid: OTHER, gid: CREATOR, groups: [] },
  'one of several groups': { uid: OTHER, gid: OTHER, groups: [CREATOR, GROUP] },
  others: { uid: OTHER, gid: OTHER, groups: [] },
} satisfies Record<string, User>

interface User {
  uid: number
  gid: number
  groups: number[]
}

function as<T>({ uid, gid, groups }: User, call: () => T): T {
  const { setgroups, setegid, seteuid } = process as Required<NodeJS.Process>
  const before = process.getgroups?.() ?? []
  setgroups(groups)
  setegid(gid)
  seteuid(uid)
  try {
    return call()
  } finally {
    seteuid(0)
    setegid(0)
    setgroups(before)
  }
}

for (const [who, user] of Object.entries(users)) {
  test(`sysv: by id, ${who} may open what the kernel lets them by key`, { skip }, async (t) => {
    const address = unusedAddress(t, 'sysv')
    const creator = { uid: CREATOR, gid: CREATOR, groups: [] }
    const { id } = as(creator, () => open(address, { create: true })) as SysVQueue
    const queue = open(address)
    t.teardown(() => queue.close())
    for (const mode of [0o600, 0o642, 0o462, 0o246, 0o420, 0o264]) {
      queue.configure({ mode, uid: OWNER, gid: GROUP })
      for (const access of ['read', 'write', 'read-write'] as const) {
        const [byKey, byId] = [address, { id }].map((address) => {
          try {
            as(user, () => open(address, { access })).close()
            return 'ok'
          } catch (error) {
            return (error as NodeJS.ErrnoException).code
          }
        })
        t.match(byKey, /^(ok|EACCES)$/)
        t.equal(byId, byKey, `${access} with mode ${mode.toString(8)}`)
      }
    }
  })
}

test('sysv: what others may not read is listed all the same', { skip }, async (t) => {
  const { address } = openQueue(t, 'sysv')
  const listed = await inChild(
    ({ list }, address, uid) => {
      process.setgroups?.([])
      process.setuid?.(uid)
      return list().some((queue) => queue.address === address)
    },
    { args: [address, OTHER] },
  )
  t.ok(listed)
})

test('who may only write learns how long a message may be, too', { skip }, async (t) => {
  const address = unusedAddress(t, 'sysv')
  const queue = open(address, { create: true, mode: 0o622, maxBytes: 1000 })
  t.teardown(() => queue.close())
  const outcome = await inChild(
    async ({ open }, uid, address) => {
      process.setgroups?.([])
      process.setuid?.(uid)
      const queue = open(address, { access: 'write' })
      // It would wait for ever, even for an empty queue.
      const refused = await queue
        .send(Buffer.alloc(1001), { timeout: 5000 })
        .catch((error) => error)
      return { maxMessageSize: queue.maxMessageSize, code: refused?.code, hint: refused?.hint }
    },
    { args: [OTHER, address] },
  )
  t.match(outcome, { maxMessageSize: 1000, code: 'EMSGSIZE', hint: /maxBytes 1000/ })
})
