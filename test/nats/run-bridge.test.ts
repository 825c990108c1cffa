import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { nkeys } from '@nats-io/transport-node'
import {
  type BridgeOptions,
  type BridgeStats,
  type Credentials,
  ensureStream,
  runBridge,
} from 'kernelmq/nats'
import t, { type Test as Tap } from 'tap'
import { newOperator } from '../fixtures/nats/credentials.js'
import { startProxy } from '../fixtures/nats/proxy.js'
import { connectTo, noServer, startServer, stored } from '../fixtures/nats/server.js'
import { drain, openQueue, type Test, unusedAddress } from '../fixtures/queues.js'

if (noServer) {
  t.plan(0, noServer)
  process.exit()
}

const server = await startServer(t)
const connection = await connectTo(t, server)
const manager = await jetstreamManager(connection)
const js = jetstream(connection)

interface Running {
  /** Rejects where the bridge fails before it is ready. */
  ready: Promise<void>
  done: Promise<BridgeStats>
  stop(): Promise<BridgeStats>
}

function start(
  t: Test & { testdirName: string },
  from: string,
  to: string,
  options: BridgeOptions = {},
): Running {
  const stop = new AbortController()
  const journal = join(t.testdirName, 'journal')
  let done: Promise<BridgeStats> | undefined
  const ready = new Promise<void>((resolve, reject) => {
    done = runBridge(from, to, { journal, ...options, signal: stop.signal, onReady: resolve })
    done.catch(reject)
  })
  // Who does not wait for it hears of a failure by `done`.
  ready.catch(() => {})
  const running = done as unknown as Promise<BridgeStats>
  const end = () => {
    stop.abort()
    return running
  }
  return { ready, done: running, stop: end }
}

t.test('a bridge creates stream and queue, carries both ways, and ends when told to', async (t) => {
  const from = openQueue(t, 'sysv')
  const to = unusedAddress(t, 'sysv')
  const url = `${server.url}/BOTH`
  const out = start(t, from.address, url)
  await out.ready
  const { config } = await manager.streams.info('BOTH')
  t.match(config, { subjects: ['BOTH.>'], storage: 'file', discard: 'new' })
  for (let i = 0; i < 5; i++) from.trySend(`${i}`, { type: 3 })
  while (from.stats().messages > 0) await delay(5)
  t.match(await out.stop(), { frames: 5, bytes: 5, inFlight: 0, lag: 0, putBack: 0 })

  const into = start(t, url, to, {
    create: true,
    consumer: 'both',
    journal: join(t.testdir(), 'p'),
  })
  await into.ready
  const queue = (await import('kernelmq')).open(to)
  while (queue.stats().messages < 5) await delay(5)
  t.match(await into.stop(), { frames: 5, lag: 0 })
  t.same(
    drain(queue),
    [0, 1, 2, 3, 4].map((i) => [3, `${i}`]),
  )
  await queue.close()
})

t.test('a bridge is one of a queue and a stream', async (t) => {
  for (const [from, to] of [
    ['0x5', '0x6'],
    [`${server.url}/A`, `${server.url}/B`],
    ['0x5', server.url],
    ['0x5', 'nats:///A'],
  ] as const) {
    await t.rejects(runBridge(from, to), { code: 'ERR_INVALID_ARG_VALUE' }, `${from} ${to}`)
  }
})

t.test('a queue that is removed fails the bridge, which still tells how far it was', async (t) => {
  const queue = openQueue(t, 'sysv')
  const told: BridgeStats[] = []
  const onStatus = (stats: BridgeStats) => void told.push(stats)
  const url = `${server.url}/REMOVED`
  const bridge = start(t, queue.address, url, { onStatus, statusInterval: 60_000 })
  await bridge.ready
  queue.unlink()
  await t.rejects(bridge.done, { code: 'EIDRM' })
  t.match(told, [{ frames: 0, lag: 0 }])
})

t.test('all types but one are not to be had from JetStream', async (t) => {
  const queue = openQueue(t, 'sysv')
  const { done } = start(t, `${server.url}/EXCEPT`, queue.address, { type: 3, except: true })
  await t.rejects(done, { code: 'ERR_INVALID_ARG_VALUE', message: /"options.except"/ })
})

t.test('an inherited descriptor is a queue, either way', async (t) => {
  const queue = openQueue(t, 'posix')
  const address = `posix:fd=${queue.fd}`
  const url = `${server.url}/INHERITED`
  const out = start(t, address, url)
  await out.ready
  await queue.send('x')
  while ((await manager.streams.info('INHERITED')).state.messages < 1) await delay(10)
  await out.stop()
  const into = start(t, url, address)
  t.equal(String((await queue.receive()).data), 'x')
  await into.stop()
})

t.test('a password is not repeated in an error', async (t) => {
  for (const address of [
    'nats://user:secret@host',
    'nats://user:none@one,user:secret@two',
    'nats://user:one/secret@host/STREAM',
  ]) {
    const error = await runBridge('0x5', address).catch((error) => error)
    t.match(error.message, /nats:/)
    t.notMatch(error.message, /secret/)
  }
})

t.test('a queue that is not there is ENOENT, without create', async (t) => {
  const address = unusedAddress(t, 'sysv')
  await t.rejects(runBridge(address, `${server.url}/NOQUEUE`), { code: 'ENOENT' })
})

t.test('no server is ERR_NATS_UNREACHABLE', async (t) => {
  const queue = openQueue(t, 'sysv')
  const { done } = start(t, queue.address, 'nats://127.0.0.1:1/A')
  await t.rejects(done, { code: 'ERR_NATS_UNREACHABLE', message: /cannot connect to 127.0.0.1:1/ })
})

t.test('a server without JetStream is ERR_JETSTREAM_DISABLED', async (t) => {
  const plain = await startServer(t, '', false)
  const queue = openQueue(t, 'sysv')
  await t.rejects(start(t, queue.address, `${plain.url}/A`).done, {
    code: 'ERR_JETSTREAM_DISABLED',
  })
})

t.test('a stream that stores other subjects is ERR_STREAM_SUBJECTS', async (t) => {
  await manager.streams.add({ name: 'OTHER', subjects: ['some.thing'] })
  const queue = openQueue(t, 'sysv')
  queue.trySend('x')
  await t.rejects(start(t, queue.address, `${server.url}/OTHER`).done, {
    code: 'ERR_STREAM_SUBJECTS',
    message: /stores some\.thing, not OTHER\.>/,
  })
  t.equal(queue.stats().messages, 1)
})

t.test('so is one whose subjects another stream stores', async (t) => {
  await manager.streams.add({ name: 'GREEDY', subjects: ['WANTED.>'] })
  const queue = openQueue(t, 'sysv')
  await t.rejects(start(t, queue.address, `${server.url}/WANTED`).done, {
    code: 'ERR_STREAM_SUBJECTS',
  })
})

const users = `
  authorization { users: [
    { user: all, password: right }
    { user: reader, password: right, permissions: { publish: { allow: ["$JS.API.>"] } } }
    { user: nobody, password: right, permissions: { publish: { deny: [">"] } } }
  ] }`

t.test('users, passwords and permissions', async (t) => {
  const guarded = await startServer(t, users)
  const url = (user: string, stream: string) => `nats://${user}@127.0.0.1:${guarded.port}/${stream}`
  const own = await connectTo(t, guarded, { user: 'all', pass: 'right' })
  await ensureStream(own, { stream: 'GUARDED' })
  const queue = openQueue(t, 'sysv')
  queue.trySend('x')

  await t.test('wrong ones are ERR_NATS_AUTHORIZATION', async (t) => {
    await t.rejects(start(t, queue.address, url('all:wrong', 'GUARDED')).done, {
      code: 'ERR_NATS_AUTHORIZATION',
    })
  })
  await t.test('no permission for JetStream is ERR_NATS_PERMISSION', async (t) => {
    await t.rejects(start(t, queue.address, url('nobody:right', 'GUARDED')).done, {
      code: 'ERR_NATS_PERMISSION',
      hint: /permission to publish to \$JS\.API/,
    })
  })
  await t.test('nor is one for the subject, and the message stays', async (t) => {
    await t.rejects(start(t, queue.address, url('reader:right', 'GUARDED')).done, {
      code: 'ERR_NATS_PERMISSION',
      hint: /permission to publish to GUARDED\.1/,
    })
    t.equal(queue.stats().messages, 1)
  })
  await t.test('the right ones may also come from the environment', async (t) => {
    const env = { NATS_USER: 'all', NATS_PASSWORD: 'right' }
    Object.assign(process.env, env)
    t.teardown(() => {
      for (const name of Object.keys(env)) delete process.env[name]
    })
    const bridge = start(t, queue.address, `${guarded.url}/GUARDED`)
    while (queue.stats().messages > 0) await delay(5)
    await bridge.stop()
    t.equal((await stored(own, 'GUARDED')).length, 1)
  })
})

/** A message stays in its queue with all credentials but the right ones. */
async function crossesOnlyWith(
  t: Tap,
  url: string,
  right: Credentials,
  wrong: readonly Credentials[],
  code = 'ERR_NATS_AUTHORIZATION',
): Promise<void> {
  const queue = openQueue(t, 'sysv')
  queue.trySend('x')
  const journal = join(t.testdirName, 'journal')
  for (const credentials of wrong) {
    await t.rejects(runBridge(queue.address, url, { journal, credentials }), { code })
    t.equal(queue.stats().messages, 1)
  }
  const bridge = start(t, queue.address, url, { journal, credentials: right })
  while (queue.stats().messages > 0) await delay(5)
  t.match(await bridge.stop(), { frames: 1 })
}

const noOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' })
    return false
  } catch {
    return 'no openssl here to make a certificate with'
  }
})()

t.test(
  'an encrypted connection trusts the given authority only',
  { skip: noOpenssl },
  async (t) => {
    const folder = t.testdir()
    mkdirSync(folder, { recursive: true })
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const words = 'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost'.split(' ')
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync('openssl', [...words, ...names, '-keyout', key, '-out', cert], { stdio: 'pipe' })
    const secure = await startServer(t, `tls { cert_file: "${cert}", key_file: "${key}" }`)
    const url = `tls://127.0.0.1:${secure.port}/SECURE`
    await crossesOnlyWith(t, url, { tlsCa: cert }, [{}], 'DEPTH_ZERO_SELF_SIGNED_CERT')
  },
)

t.test('an nkey is read from its file', async (t) => {
  const folder = t.testdir()
  const user = nkeys.createUser()
  const [right, wrong] = [join(folder, 'right.nk'), join(folder, 'wrong.nk')]
  // As `nk -gen user` writes it, with a newline.
  writeFileSync(right, `${Buffer.from(user.getSeed()).toString()}\n`)
  writeFileSync(wrong, `${Buffer.from(nkeys.createUser().getSeed()).toString()}\n`)
  const guarded = await startServer(
    t,
    `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
  )
  await crossesOnlyWith(t, `${guarded.url}/KEYS`, { nkey: right }, [{ nkey: wrong }])
})

t.test('a user is known by his creds file', async (t) => {
  const folder = t.testdir()
  const operator = newOperator()
  const guarded = await startServer(t, operator.configuration)
  const [right, wrong] = [join(folder, 'right.creds'), join(folder, 'wrong.creds')]
  writeFileSync(right, operator.addUser())
  writeFileSync(wrong, newOperator().addUser())
  await crossesOnlyWith(t, `${guarded.url}/CREDS`, { creds: right }, [{}, { creds: wrong }])
})

t.test('a bridge of a POSIX queue puts back what it cannot publish', async (t) => {
  const proxy = await startProxy(t, server)
  const queue = openQueue(t, 'posix')
  const bridge = start(t, queue.address, `${proxy.url}/POSIX`, { highWaterMark: 4, grace: 50 })
  await bridge.ready
  queue.trySend('first')
  while (queue.stats().messages > 0 || (await stored(connection, 'POSIX')).length < 1)
    await delay(5)
  proxy.mute()
  for (let i = 0; i < 5; i++) queue.trySend(`${i}`)
  while (queue.stats().messages > 2) await delay(5)
  const { putBack } = await bridge.stop()
  t.ok(putBack > 0)
  const left = drain(queue).map(([, data]) => data)
  t.strictSame(left.sort(), ['0', '1', '2', '3', '4'])
})

t.test(
  'a bridge that is stopped while there is no connection ends, and loses nothing',
  async (t) => {
    const proxy = await startProxy(t, server)
    const queue = openQueue(t, 'sysv')
    const bridge = start(t, queue.address, `${proxy.url}/STOPPED`, { grace: 50 })
    await bridge.ready
    proxy.mute()
    for (let i = 0; i < 5; i++) queue.trySend(`${i}`)
    await bridge.stop()
    t.equal(queue.stats().messages, 5)
  },
)

t.test('a status comes regularly and at the end', async (t) => {
  const queue = openQueue(t, 'sysv')
  const seen: BridgeStats[] = []
  const bridge = start(t, queue.address, `${server.url}/STATUS`, {
    onStatus: (stats) => seen.push(stats),
    statusInterval: 10,
  })
  await bridge.ready
  await js.publish('STATUS.1', 'other')
  while (seen.length < 3) await delay(5)
  queue.trySend('x')
  while (queue.stats().messages > 0) await delay(5)
  await bridge.stop()
  t.match(seen.at(-1), { frames: 1, inFlight: 0 })
})
