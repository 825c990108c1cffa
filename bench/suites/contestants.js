/** Who is measured in which suite. */

/** @typedef {import('../harness/link.js').Contestant} Contestant */
/** @typedef {import('../harness/addresses.js').Kind} Kind */

/** @type {readonly Kind[]} */
export const KINDS = ['sysv', 'posix']

/** Names that targets and chart refer to. */
export const NAMES = {
  c: 'plain C',
  write: 'kernelmq write → data',
  pipeline: 'kernelmq pipeline → pipeline',
  forAwait: 'kernelmq write → for await',
  consumer: 'kernelmq write → consumer',
  bytes: 'kernelmq byte mode, framed, corked',
  hwm1: 'kernelmq highWaterMark 1',
  nodeToC: 'kernelmq write → C',
  cToNode: 'C → kernelmq data',
  zeromq: 'zeromq ipc://',
  sendJson: 'process.send json',
  sendAdvanced: 'process.send advanced',
  socket: 'unix socket, framed, corked',
  port: 'MessagePort',
  svmq: 'svmq',
  posixMq: 'posix-mq, polled',
  promises: 'kernelmq send() / receive()',
  streams: 'kernelmq streams',
}

const C = { transport: null }

/** @param {Record<string, unknown>} options */
const kernelmq = (options) => ({ transport: 'kernelmq', options })

/** @param {string} name @param {string} transport @param {Partial<Contestant> & { options?: Record<string, unknown> }} [rest] @returns {Contestant} */
function both(name, transport, { options, kind = null, ...rest } = {}) {
  return { name, kind, driver: { transport, options }, answerer: { transport, options }, ...rest }
}

/** @param {Kind} kind @returns {Contestant} */
export const plainC = (kind) => ({ name: NAMES.c, kind, driver: C, answerer: C })

/** Those that move messages over a queue of that kind, the main ones only when `quick`. @param {Kind} kind @param {boolean} quick @returns {Contestant[]} */
export function overQueue(kind, quick) {
  const write = kernelmq({ send: 'write' })
  const data = kernelmq({ receive: 'data' })
  const corked = { bytes: true, framed: true, corked: true }
  const main = [
    plainC(kind),
    { name: NAMES.write, kind, driver: write, answerer: data },
    {
      name: NAMES.pipeline,
      kind,
      driver: kernelmq({ send: 'pipeline' }),
      answerer: kernelmq({ receive: 'pipeline' }),
    },
    { name: NAMES.forAwait, kind, driver: write, answerer: kernelmq({ receive: 'for await' }) },
    {
      name: NAMES.hwm1,
      kind,
      driver: kernelmq({ send: 'write', highWaterMark: 1 }),
      answerer: kernelmq({ receive: 'data', highWaterMark: 1 }),
    },
  ]
  if (quick) return main
  return [
    ...main,
    { name: NAMES.consumer, kind, driver: write, answerer: kernelmq({ receive: 'consumer' }) },
    {
      name: NAMES.bytes,
      kind,
      byteStream: true,
      driver: kernelmq(corked),
      answerer: kernelmq(corked),
    },
    { name: NAMES.nodeToC, kind, driver: write, answerer: C },
    { name: NAMES.cToNode, kind, driver: C, answerer: data },
  ]
}

/** What else a user would pick. @returns {Contestant[]} */
export const others = () => [
  both(NAMES.zeromq, 'zeromq'),
  both(NAMES.sendJson, 'process-send', { hosted: true, options: { serialization: 'json' } }),
  both(NAMES.sendAdvanced, 'process-send', {
    hosted: true,
    options: { serialization: 'advanced' },
  }),
  both(NAMES.socket, 'unix-socket', { options: { framed: true, corked: true } }),
  both(NAMES.port, 'message-port', { hosted: true, sameProcess: true }),
  both(NAMES.svmq, 'svmq', { kind: 'sysv' }),
  both(NAMES.posixMq, 'posix-mq', { kind: 'posix' }),
]

/** Optional dependencies that build and work where they do. */
const OPTIONAL = [NAMES.zeromq, NAMES.svmq, NAMES.posixMq]

/** @param {{ name: string }} result */
export const mayFail = ({ name }) => OPTIONAL.includes(name)

/** @param {Kind} kind @returns {Contestant[]} */
export const roundTripsOverQueue = (kind) => [
  plainC(kind),
  both(NAMES.streams, 'kernelmq', { kind }),
  both(NAMES.promises, 'kernelmq', { kind, options: { promises: true } }),
]

/**
 * Byte streams: the same writes to kernelmq's byte mode and to a socket.
 *
 * @param {readonly Kind[]} kinds
 * @param {{ framed?: boolean, corked?: boolean }} options
 * @param {string} how
 * @returns {Contestant[]}
 */
export function byteStreams(kinds, options, how) {
  const ofKind = (/** @type {Kind} */ kind) =>
    both(byteName(how), 'kernelmq', {
      kind,
      byteStream: true,
      options: { ...options, bytes: true },
    })
  return [...kinds.map(ofKind), both(socketName(how), 'unix-socket', { options })]
}

export const byteName = (/** @type {string} */ how) => `kernelmq byte mode, ${how}`
export const socketName = (/** @type {string} */ how) => `unix socket, ${how}`

/**
 * C programs that do what a stream has to besides: the sender copies what it sends, for its caller's
 * memory is his again at once, and the receiver gives each message away.
 *
 * @param {Kind} kind
 * @returns {Contestant}
 */
export function owningC(kind) {
  const side = { ...C, options: { owned: true } }
  return { name: 'plain C, copying, giving away', kind, driver: side, answerer: side }
}

/** C programs on a socket, as the floor for byte streams. @returns {Contestant} */
export const cSocket = () => ({ name: 'plain C, unix socket', kind: null, driver: C, answerer: C })

/** C senders to kernelmq readers: many queues in one process. @param {Kind} kind @returns {Contestant} */
export const cToNode = (kind) => ({
  name: NAMES.cToNode,
  kind,
  driver: C,
  answerer: kernelmq({ receive: 'data' }),
})
