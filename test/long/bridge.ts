/**
 * The long form of test/nats/two-machines.test.ts: `npm run test:bridge`. Prints its figures.
 * Arguments: messages, kills of each bridge, kills of the server, cuts of the connection.
 */
import { noNamespace } from '../fixtures/child.js'
import { noServer } from '../fixtures/nats/server.js'
import { runTwoMachines } from '../fixtures/nats/two-machines.js'

const [count = 200_000, bridgeKills = 50, serverKills = 5, cuts = 10] = process.argv
  .slice(2)
  .map(Number)

const missing = noServer || noNamespace
if (missing) {
  console.log(`skipped: ${missing}`)
  process.exit()
}

const releases: (() => unknown)[] = []
const began = performance.now()
const report = await runTwoMachines(
  { teardown: (release) => releases.unshift(release) },
  { count, bridgeKills, serverKills, cuts, streamLimit: count * 50, storeLimit: count * 100 },
).finally(async () => {
  for (const release of releases) await release()
})
const seconds = Math.round((performance.now() - began) / 1000)
const { sender, receiver, streamMessages, streamRepeats, troubles } = report

console.log(`messages sent            ${count}
in the stream            ${streamMessages}, repeats ${streamRepeats}
out of the second queue  ${receiver.received}, distinct ${receiver.distinct}, repeats ${receiver.repeats}
lost                     ${count - receiver.distinct}
out of order (by type)   ${receiver.disordered}
damaged (CRC)            ${receiver.damaged}
bridges killed           ${sender.killed} + ${receiver.killed}
server killed            ${serverKills} times, and once with its disk full
connections cut          ${cuts} times
tried again              ${sender.retries} + ${receiver.retries} times
seconds                  ${seconds}
troubles
${troubles.map((each) => `  ${each}`).join('\n')}`)

// Where the stream itself went back, the reader goes to where the server stands.
const wentBack = troubles.some((each) => each.includes('went back'))

const good =
  receiver.distinct === count &&
  receiver.disordered === 0 &&
  receiver.damaged === 0 &&
  streamRepeats <= sender.killed &&
  (wentBack || receiver.repeats - streamRepeats <= receiver.killed) &&
  sender.code === 0 &&
  receiver.code === 0
process.exit(good ? 0 : 1)
