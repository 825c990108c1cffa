import { open } from 'kernelmq'
import t from 'tap'
import { noNamespace, ownNamespace } from '../fixtures/child.js'
import { kmq } from '../fixtures/kmq.js'
import { drain, kinds, openQueue, unusedAddress } from '../fixtures/queues.js'

const small = { posix: ['--max-messages', '3', '--max-message-size', '64'], sysv: [] }

for (const kind of kinds) {
  t.test(kind, async (t) => {
    t.test('create makes a queue and prints its address', async (t) => {
      const address = unusedAddress(t, kind)
      const { code, text } = await kmq(t, ['create', address, ...small[kind]])
      t.equal(code, 0)
      t.equal(text, `${address}\n`)
      t.equal(open(address).address, address)
    })

    t.test('create --mode sets the permissions', async (t) => {
      const address = unusedAddress(t, kind)
      await kmq(t, ['create', address, '--mode', '642', ...small[kind]])
      t.equal(open(address).stats().mode, 0o642)
    })

    t.test('create of a queue that exists leaves it', async (t) => {
      const queue = openQueue(t, kind)
      queue.trySend('kept')
      const { code, text } = await kmq(t, ['create', queue.address])
      t.equal(code, 0)
      t.equal(text, `${queue.address}\n`)
      t.equal(queue.stats().messages, 1)
    })

    t.test('create --exclusive fails for a queue that exists', async (t) => {
      const { code, stderr } = await kmq(t, ['create', openQueue(t, kind).address, '--exclusive'])
      t.equal(code, 1)
      t.match(stderr, 'EEXIST')
    })

    t.test('stat prints all that the system says', async (t) => {
      const queue = openQueue(t, kind)
      queue.trySend('hello')
      const { code, text } = await kmq(t, ['stat', queue.address])
      t.equal(code, 0)
      t.match(text, queue.address)
      t.match(text, /^messages +1\b/m)
      t.match(text, /^bytes +5\b/m)
      t.match(text, /^mode +600$/m)
    })

    t.test('stat shows those that are there, and names the one that is not', async (t) => {
      const { address } = openQueue(t, kind)
      const { code, text, stderr } = await kmq(t, ['stat', '/kmq-none', address])
      t.equal(code, 1)
      t.match(text, address)
      t.match(stderr, /^kmq: there is no such queue [^\n]+\n$/)
    })

    t.test('stat --json prints an array of the statistics of each', async (t) => {
      const queues = [openQueue(t, kind), openQueue(t, kind)]
      const { text } = await kmq(t, ['stat', ...queues.map(({ address }) => address), '--json'])
      t.same(JSON.parse(text), JSON.parse(JSON.stringify(queues.map((queue) => queue.stats()))))
    })

    t.test('rm removes queues', async (t) => {
      const queues = [openQueue(t, kind), openQueue(t, kind)]
      const { code } = await kmq(t, ['rm', ...queues.map(({ address }) => address)])
      t.equal(code, 0)
      for (const { address } of queues) t.throws(() => open(address), { code: 'ENOENT' })
    })

    t.test('rm removes what it can, and says what it cannot', async (t) => {
      const missing = unusedAddress(t, kind)
      const { address } = openQueue(t, kind)
      const { code, stderr } = await kmq(t, ['rm', missing, address])
      t.equal(code, 1)
      t.match(stderr, /^kmq: [^\n]+\n$/)
      t.match(stderr, missing)
      t.throws(() => open(address), { code: 'ENOENT' })
    })

    t.test('clear discards what is queued and says how much', async (t) => {
      const queue = openQueue(t, kind)
      for (const data of ['a', 'b']) queue.trySend(data)
      const { code, stderr } = await kmq(t, ['clear', queue.address])
      t.equal(code, 0)
      t.equal(stderr, 'kmq: 2 messages discarded\n')
      t.same(drain(queue), [])
    })

    t.test('clear --quiet says nothing', async (t) => {
      const { code, stderr } = await kmq(t, ['clear', openQueue(t, kind).address, '--quiet'])
      t.equal(code, 0)
      t.equal(stderr, '')
    })

    t.test('set changes the permissions', async (t) => {
      const queue = openQueue(t, kind)
      const { code } = await kmq(t, ['set', queue.address, '--mode', '640'])
      t.equal(code, 0)
      t.equal(queue.stats().mode, 0o640)
    })

    const notRoot = process.getuid?.() !== 0 && 'only root may give a queue away'
    t.test('set changes owner and group', { skip: notRoot }, async (t) => {
      const queue = openQueue(t, kind)
      const { code } = await kmq(t, ['set', queue.address, '--uid', '12', '--gid', '13'])
      t.equal(code, 0)
      t.match(queue.stats(), { uid: 12, gid: 13 })
    })
  })
}

t.test('create takes the size of a POSIX queue', async (t) => {
  const address = unusedAddress(t, 'posix')
  await kmq(t, ['create', address, '--max-messages', '3', '--max-message-size', '1K'])
  t.match(open(address), { maxMessages: 3, maxMessageSize: 1024 })
})

t.test('create and set take the capacity of a System V queue', async (t) => {
  const address = unusedAddress(t, 'sysv')
  await kmq(t, ['create', address, '--max-bytes', '1000'])
  t.match(open(address).stats(), { maxBytes: 1000 })
  await kmq(t, ['set', address, '--max-bytes', '2000'])
  t.match(open(address).stats(), { maxBytes: 2000 })
})

t.test('create prints the identifier of a private queue', async (t) => {
  const { text } = await kmq(t, ['create', 'sysv:private'])
  t.match(text, /^sysv:id=\d+\n$/)
  const { code } = await kmq(t, ['rm', text.trim()])
  t.equal(code, 0)
})

t.test('ls lists every queue with depth, bytes, owner, mode and last processes', async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.trySend('hello')
  const { code, text } = await kmq(t, ['ls'])
  t.equal(code, 0)
  t.match(text, /^QUEUE +MESSAGES +BYTES +FILL +OWNER +MODE +SENT BY +RECEIVED BY$/m)
  const line = text.split('\n').find((each) => each.startsWith(queue.address))
  t.match(line, new RegExp(` 1 +5 B +0% +\\S+ +600 +${process.pid} +-$`))
})

t.test('ls --json prints an array of the statistics of all', async (t) => {
  const queue = openQueue(t, 'sysv')
  const { text } = await kmq(t, ['ls', '--json'])
  const listed = JSON.parse(text).find(
    ({ address }: { address: string }) => address === queue.address,
  )
  t.same(listed, JSON.parse(JSON.stringify(queue.stats())))
})

t.test('ls --addresses prints them alone', async (t) => {
  const { address } = openQueue(t, 'sysv')
  const { text } = await kmq(t, ['ls', '--addresses'])
  t.ok(text.split('\n').includes(address))
})

t.test(
  'ls lists POSIX queues where they are mounted, and else says why not',
  { skip: noNamespace },
  async (t) => {
    const run = (mount: string) => {
      const script = `${mount} "$0" "$1" create /listed --max-messages 2 --max-message-size 64 >&2 && exec "$0" "$1" ls`
      return kmq(t, [], { command: [...ownNamespace, 'sh', '-c', script] })
    }
    const unmounted = await run('')
    t.notMatch(unmounted.text, '/listed')
    t.match(unmounted.stderr, 'no mqueue file system is mounted')
    const mounted = await run('mount -t mqueue none /mnt &&')
    t.match(mounted.text, /^\/listed +0 +0 B +0% /m)
    t.notMatch(mounted.stderr, 'no mqueue')
  },
)

t.test('names of queues do not command the terminal', { skip: noNamespace }, async (t) => {
  const script = `mount -t mqueue none /mnt && touch "/mnt/$(printf 'a\\033[2J')" && exec "$0" "$1" ls`
  const { text } = await kmq(t, [], { command: [...ownNamespace, 'sh', '-c', script] })
  t.match(text, '/a\\x1b[2J')
  t.notMatch(text, '\x1b')
})
