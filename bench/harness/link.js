/** Two processes, one driving and one answering, with a queue or socket between them. */
import { createQueues, newSocketAddress, removeQueues } from './addresses.js'
import { LARGEST_MESSAGE, posixShape } from './limits.js'
import { BUILD, PEER } from './paths.js'
import { start } from './process.js'

/**
 * @typedef {object} Side  one process: a C program, or a transport of transports/
 * @property {string | null} transport  null: C
 * @property {Record<string, any>} [options]  of a C program: `owned`
 */

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {import('./addresses.js').Kind | null} kind  of queue; null: a socket, or a channel of its own
 * @property {Side} driver  sends, or pings
 * @property {Side} answerer  receives, or echoes
 * @property {boolean} [hosted]  the driver starts the answerer itself
 * @property {boolean} [sameProcess]  and as a thread of its own process
 * @property {boolean} [byteStream]  `size` is that of a write, not of a message: its queue takes the largest
 */

/** @typedef {'one way' | 'round trip'} Direction */

const ROLES = /** @type {const} */ ({
  'one way': { driver: 'sender', answerer: 'receiver' },
  'round trip': { driver: 'pinger', answerer: 'echo' },
})

/** The hosted side's control pipe, as the driver's descriptors. */
const HOSTED_CONTROL = { input: 3, output: 4 }

/**
 * @param {Contestant} contestant
 * @param {object} how
 * @param {Direction} how.direction
 * @param {number} how.size
 * @param {import('./limits.js').Level} how.limits
 * @param {number} [how.queues]  queues the driver sends to, in turn
 * @param {import('./limits.js').Shape} [how.shape]  of POSIX queues, where it is not the one for these limits
 */
export async function openLink(
  contestant,
  { direction, size, limits, queues = direction === 'one way' ? 1 : 2, shape },
) {
  const {
    kind,
    driver,
    answerer,
    hosted = false,
    sameProcess = false,
    byteStream = false,
  } = contestant
  const roles = ROLES[direction]
  const addresses = kind
    ? createQueues(
        kind,
        queues,
        shape ?? posixShape(limits, byteStream ? LARGEST_MESSAGE : size, queues),
      )
    : [newSocketAddress(), newSocketAddress()].slice(0, queues)
  /** @type {ReturnType<typeof start>[]} */
  const processes = []
  const close = async () => {
    await Promise.all(processes.map((each) => each.kill()))
    if (kind) removeQueues(addresses)
  }
  try {
    if (!hosted) processes.push(start(commandLine(answerer, roles.answerer, size, addresses)))
    await processes[0]?.control.next('ready')
    const driving = start(commandLine(driver, roles.driver, size, addresses), { hosts: hosted })
    processes.push(driving)
    await driving.control.next('ready')
    await driving.hosted?.next('ready')
    return {
      driver: driving.control,
      answerer: driving.hosted ?? processes[0].control,
      sameProcess,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** @typedef {Awaited<ReturnType<typeof openLink>>} Link */

/**
 * @param {Side} side
 * @param {import('../peer.js').Setup['role']} role
 * @param {number} size
 * @param {string[]} addresses
 */
function commandLine({ transport, options = {} }, role, size, addresses) {
  if (transport === null) {
    return [`${BUILD}${role}${options.owned ? '-owned' : ''}`, String(size), ...addresses]
  }
  /** @type {import('../peer.js').Setup} */
  const setup = {
    transport,
    role,
    size,
    addresses,
    options: { ...options, hostedControl: HOSTED_CONTROL },
    control: { input: 0, output: 1 },
  }
  return [process.execPath, PEER, JSON.stringify(setup)]
}
