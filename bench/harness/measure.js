/** One measurement of one contestant: fresh processes, warm-up, then the figures. */
import { openLink } from './link.js'
import { percentile } from './statistics.js'

/** Enough to tell the rate roughly, and never more than a moment's work. */
const PROBE = 200
/** At a time, so that a rate that rises makes no portion too short. */
const WARM_UP_PORTION = 0.2
/** And never fewer calls than this, however slow each is, for the compilers to have seen them. */
const FEWEST_MESSAGES = 5000
const WARM_UP_TRIPS = 1000

/**
 * Messages in one direction. Node.js comes to its full speed a second after it began (bench/README.md).
 *
 * @param {import('./link.js').Contestant} contestant
 * @param {object} how
 * @param {number} how.size
 * @param {import('./limits.js').Level} how.limits
 * @param {number} how.warmUp  seconds until the clock starts
 * @param {number} [how.seconds]  about how long to measure
 * @param {number} [how.count]  exactly how many messages, in place of `seconds`
 * @param {number} [how.queues]
 * @param {import('./limits.js').Shape} [how.shape]
 */
export async function measureOneWay(contestant, { warmUp, seconds = 0.5, count, ...how }) {
  const link = await openLink(contestant, { direction: 'one way', ...how })
  try {
    const begun = performance.now()
    let rate = await runOneWay(link, PROBE)
    do rate = await runOneWay(link, countFor(rate, WARM_UP_PORTION))
    while (performance.now() - begun < warmUp * 1000)
    return await runOneWay(link, count ?? countFor(rate, seconds))
  } finally {
    await link.close()
  }
}

/** @param {{ messagesPerSecond: number }} rate @param {number} seconds */
const countFor = ({ messagesPerSecond }, seconds) =>
  Math.max(FEWEST_MESSAGES, Math.round(messagesPerSecond * seconds))

/** @param {import('./link.js').Link} link @param {number} count */
async function runOneWay(link, count) {
  link.answerer.run(count)
  await link.answerer.next('armed')
  link.driver.run(count)
  // Either side's failure ends the wait for both.
  const [sent, received] = await Promise.all([link.driver.next('done'), link.answerer.next('done')])
  const seconds = (received.endNs - sent.startNs) / 1e9
  return {
    count,
    seconds,
    messagesPerSecond: count / seconds,
    ...costs(sent, received, count, link.sameProcess),
  }
}

/**
 * Round trips, one at a time.
 *
 * @param {import('./link.js').Contestant} contestant
 * @param {{ size: number, limits: import('./limits.js').Level, warmUp: number, count: number }} how
 */
export async function measureRoundTrip(contestant, { warmUp, count, ...how }) {
  const link = await openLink(contestant, { direction: 'round trip', ...how })
  try {
    const begun = performance.now()
    do await runRoundTrips(link, WARM_UP_TRIPS)
    while (performance.now() - begun < warmUp * 1000)
    const { roundTripNs } = await runRoundTrips(link, count)
    return {
      count,
      p50Us: percentile(roundTripNs, 0.5) / 1000,
      p99Us: percentile(roundTripNs, 0.99) / 1000,
    }
  } finally {
    await link.close()
  }
}

/** @param {import('./link.js').Link} link @param {number} count */
async function runRoundTrips(link, count) {
  link.driver.run(count)
  // An echo says nothing more once it is ready, unless it fails.
  return await Promise.race([link.driver.next('done'), link.answerer.failed])
}

/**
 * Two threads of one process each report the whole of it: the receiver's
 * report, being the last, then stands for both.
 *
 * @param {import('./process.js').Event} sent
 * @param {import('./process.js').Event} received
 * @param {number} count
 * @param {boolean} sameProcess
 */
function costs(sent, received, count, sameProcess) {
  const receiver = {
    receiverCpuUs: received.cpuUs / count,
    receiverPeakRssKiB: received.peakRssKiB,
  }
  if (sameProcess) return { ...receiver, cpuUs: receiver.receiverCpuUs }
  return {
    senderCpuUs: sent.cpuUs / count,
    senderPeakRssKiB: sent.peakRssKiB,
    ...receiver,
    cpuUs: (sent.cpuUs + received.cpuUs) / count,
  }
}
