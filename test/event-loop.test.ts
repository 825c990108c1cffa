/** The event loop is everybody's: waiting costs it nothing, and traffic leaves it to others too. */
import { test } from 'tap'
import { inChild } from './fixtures/child.js'
import { kinds, openQueue } from './fixtures/queues.js'

const READERS = 64

for (const kind of kinds) {
  test(`${kind}: ${READERS} idle readers use no CPU and leave fs and dns alone`, async (t) => {
    const { address } = openQueue(t, kind)
    const seen = await inChild(
      async ({ open }, address, readers) => {
        const { readFile } = await import('node:fs/promises')
        const { lookup } = await import('node:dns/promises')
        const { setTimeout } = await import('node:timers/promises')
        const queues = Array.from({ length: readers }, () => open(address))
        let received = 0
        for (const queue of queues) queue.readable().on('data', () => received++)
        // Each has begun to wait when a turn of the event loop is over.
        await setTimeout(10)
        // libuv's pool has one thread here: were a reader in it, these would wait for ever.
        const text = await readFile('/proc/self/status', 'utf8')
        const { address: found } = await lookup('localhost')
        const before = process.cpuUsage()
        await setTimeout(1000)
        const { user, system } = process.cpuUsage(before)
        await Promise.all(queues.map((queue) => queue.close()))
        return { read: text.length > 0, found, cpuMs: (user + system) / 1000, received }
      },
      { args: [address, READERS], command: ['env', 'UV_THREADPOOL_SIZE=1'] },
    )
    t.ok(seen.read, 'fs')
    t.match(seen.found, /^(127\.0\.0\.1|::1)$/, 'dns')
    t.equal(seen.received, 0)
    t.ok(seen.cpuMs < 200, `${seen.cpuMs} ms of CPU time in a second`)
  })

  test(`${kind}: a flood on a queue leaves timers their turn`, async (t) => {
    const { address } = openQueue(t, kind)
    const { most, received } = await inChild(
      async ({ open }, address) => {
        const { Readable } = await import('node:stream')
        const { pipeline } = await import('node:stream/promises')
        const total = 100_000
        const queue = open(address)
        function* flood() {
          for (let i = 0; i < total; i++) yield 'a message of the flood'
        }
        let received = 0
        let atLastTick = 0
        let most = 0
        const tick = () => {
          most = Math.max(most, received - atLastTick)
          atLastTick = received
        }
        const timer = setInterval(tick, 1)
        const sent = pipeline(Readable.from(flood()), queue.writable({ eof: true }))
        for await (const { data } of queue.readable({ eof: true })) if (data.length > 0) received++
        await sent
        clearInterval(timer)
        tick()
        await queue.close()
        return { most, received }
      },
      { args: [address] },
    )
    t.equal(received, 100_000)
    // A turn is a thousand messages or so; a timer may miss some, when the machine is fast.
    t.ok(most < 20_000, `${most} messages between two ticks of a 1 ms timer, at most`)
  })
}
