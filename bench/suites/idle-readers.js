/**
 * A process apart: opens all the queues named on its command line, waits on
 * each, and prints what that took and what waiting costs.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from 'kernelmq'

const SETTLE_MS = 1000
const WATCH_MS = 2000

const [first, ...addresses] = process.argv.slice(2)

/** @param {string} address */
function startReader(address) {
  open(address, { access: 'read' })
    .readable()
    .on('data', () => {
      throw new Error(`a message on ${address}`)
    })
}

// What the first reader loads and starts is paid once, not per reader.
startReader(first)
await sleep(SETTLE_MS)

const rssBefore = process.memoryUsage.rss()
const start = process.hrtime.bigint()
for (const address of addresses) startReader(address)
const openMs = Number(process.hrtime.bigint() - start) / 1e6
await sleep(SETTLE_MS)

const rssAfter = process.memoryUsage.rss()
const cpuBefore = process.cpuUsage()
const watchStart = process.hrtime.bigint()
await sleep(WATCH_MS)
const { user, system } = process.cpuUsage(cpuBefore)
const watchedUs = Number(process.hrtime.bigint() - watchStart) / 1000

console.log(
  JSON.stringify({
    openMs,
    rssKiBPerReader: (rssAfter - rssBefore) / 1024 / addresses.length,
    idleCpuPercent: ((user + system) / watchedUs) * 100,
  }),
)
process.exit()
