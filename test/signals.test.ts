/** Signals that arrive all the time change nothing. */
import t from 'tap'
import { inChild } from './fixtures/child.js'
import { kinds, unusedAddress } from './fixtures/queues.js'

const MESSAGES = 3000

for (const kind of kinds) {
  t.test(`${kind}: every message arrives in order through a storm of signals`, async (t) => {
    const outcome = await inChild(
      async ({ open, unlink }, address: string, count: number) => {
        const { spawn } = await import('node:child_process')
        const queue = open(address, { create: true, exclusive: true })
        let signals = 0
        process.on('SIGUSR2', () => signals++)
        // A process apart, so that the signals come whatever this one does: about a thousand a second.
        const storm = spawn(process.execPath, [
          '-e',
          `setInterval(() => process.kill(${process.pid}, 'SIGUSR2'), 1)`,
        ])
        await new Promise((resolve) => process.once('SIGUSR2', resolve))
        const echo = (async () => {
          const reader = queue.readable()
          let next = 0
          for await (const { data } of reader) {
            if (Number(data) !== next) return `${data} in place of ${next}`
            if (++next === count) return 'in order'
          }
          return `the end after ${next}`
        })()
        // One at a time and many at once: both wait, on either side.
        for (let sent = 0; sent < count; ) {
          const batch = Array.from({ length: 1 + (sent % 30) }, (_, i) => sent + i)
          const sends = batch.filter((n) => n < count).map((n) => queue.send(`${n}`))
          await Promise.all(sends)
          sent += sends.length
        }
        const order = await echo
        storm.kill('SIGKILL')
        await queue.close()
        unlink(address)
        return { order, stormy: signals > 10 }
      },
      { args: [unusedAddress(t, kind), MESSAGES] },
    )
    t.same(outcome, { order: 'in order', stormy: true })
  })
}
