/** A whole bridge: a queue at one end, a stream at the other, either way. */
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { argumentError, QueueError } from '../errors.js'
import type { Frame } from '../frame.js'
import { type MessageQueue, type OpenOptions, open, parseAddress, SysVQueue } from '../index.js'
import { checkOptions } from '../options.js'
import type { Readable, Writable } from '../streams/base.js'
import {
  type Credentials,
  connectTo,
  isNatsAddress,
  type NatsAddress,
  parseNatsAddress,
} from './connection.js'
import { fromJetStream } from './from-jetstream.js'
import { hidePassword } from './hide-password.js'
import { ensureStream, type StreamOptions } from './stream.js'
import { toJetStream } from './to-jetstream.js'
import { toQueue } from './to-queue.js'

export interface BridgeOptions {
  /** Create the kernel queue if it is not there. Default `false`. */
  create?: boolean
  /** Only messages of this type; with `except`, out of a queue, all others. */
  type?: number | bigint
  except?: boolean
  /** How many messages are on their way at most. Default 256. */
  highWaterMark?: number
  /**
   * The file in which the bridge remembers how far it is; by default one named after both ends in
   * `$STATE_DIRECTORY`, `/var/lib/kernelmq` or `~/.local/state/kernelmq`.
   */
  journal?: string
  /** The durable consumer, from JetStream; by default named after the host and the queue. */
  consumer?: string
  /** Other publishers use the stream too. Default `false`. */
  shared?: boolean
  /** Limits of a stream that is created here. */
  limits?: Omit<StreamOptions, 'stream' | 'create' | 'reading'>
  credentials?: Credentials
  /** Ends the bridge: what is on its way arrives first, unless that takes longer than `grace`. */
  signal?: AbortSignal
  /** Milliseconds. Default 5000. */
  grace?: number
  /** Called once both ends are open. */
  onReady?(): void
  onRetry?(error: Error): void
  /** Called every `statusInterval` milliseconds, 1000 by default, and at the end. */
  onStatus?(stats: BridgeStats): void
  statusInterval?: number
}

export interface BridgeStats {
  frames: number
  bytes: number
  inFlight: number
  retries: number
  /** Sent twice and dropped by the one who knew them again. */
  repeats: number
  /** Messages that wait at the source. */
  lag: number
  /** Of a POSIX queue: put back at the end. */
  putBack: number
}

const optionNames = [
  'create',
  'type',
  'except',
  'highWaterMark',
  'journal',
  'consumer',
  'shared',
  'limits',
  'credentials',
  'signal',
  'grace',
  'onReady',
  'onRetry',
  'onStatus',
  'statusInterval',
] as const

const HIGH_WATER_MARK = 256
const GRACE_MS = 5000
const STATUS_MS = 1000

/**
 * Bridges a queue and `nats://host:port/STREAM` until `signal` is aborted. Rejects with what cannot be
 * tried again: a `QueueError`, a `BridgeError`. The stream is created if it is not there.
 */
export async function runBridge(
  from: string,
  to: string,
  options: BridgeOptions = {},
): Promise<BridgeStats> {
  checkOptions(options, optionNames)
  const outward = isNatsAddress(to)
  if (outward === isNatsAddress(from)) {
    const problem =
      'must be nats://host:port/STREAM where the other end is a queue, and a queue where not'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'to', problem, hidePassword(to))
  }
  const address = parseNatsAddress(outward ? to : from)
  if (!outward && options.except) {
    const problem = 'is for a bridge out of a queue: JetStream selects one type or all'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'options.except', problem, options.except)
  }
  await using queue = openQueue(outward ? from : to, outward, options)
  const connection = await connectTo(address, options.credentials)
  try {
    await ensureStream(connection, { stream: address.stream, reading: !outward, ...options.limits })
    const run = outward ? outwards : inwards
    return await run(queue, connection, address, options)
  } finally {
    // Acknowledgements on their way to the server arrive.
    if (!connection.isClosed()) await settle(connection)
  }
}

function openQueue(
  address: string,
  outward: boolean,
  { create = false }: BridgeOptions,
): MessageQueue {
  const parsed = parseAddress(address)
  if ('private' in parsed) {
    const problem = 'must be a queue that others know'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'address', problem, address)
  }
  const given = create ? { create } : {}
  // An inherited descriptor is open already, for whatever it was opened for.
  if ('fd' in parsed) return open(parsed, given as OpenOptions)
  // What is taken from a POSIX queue may have to go back.
  const access = !outward ? 'write' : 'name' in parsed ? 'read-write' : 'read'
  return open(parsed, { ...given, access } as OpenOptions)
}

async function settle(connection: NatsConnection): Promise<void> {
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, 1000).unref())
  // A flush fails where the connection is broken: then there is nothing on its way.
  await Promise.race([connection.flush().catch(() => {}), timeout])
  await connection.close()
}

async function outwards(
  queue: MessageQueue,
  connection: NatsConnection,
  { stream }: NatsAddress,
  options: BridgeOptions,
): Promise<BridgeStats> {
  const { type, except, highWaterMark = HIGH_WATER_MARK, shared = false } = options
  const selection = { ...(type !== undefined && { type }), ...(except !== undefined && { except }) }
  const file = options.journal ?? stateFile(queue, stream, 'ids')
  const journaled = queue instanceof SysVQueue
  const source = journaled
    ? queue.readable({ ...selection, bigint: true, highWaterMark, ack: true })
    : // A POSIX queue cannot show a message and keep it: nothing is taken ahead.
      queue.readable({ ...selection, highWaterMark: 0 })
  const sink = toJetStream(jetstream(connection), {
    stream,
    shared,
    inFlight: highWaterMark,
    ...(journaled && { journal: { file, queue, ...selection } }),
  })
  if (options.onRetry) sink.on('retry', options.onRetry)
  let putBack = 0
  const lag = depthOf(queue)
  const stats = (): BridgeStats => ({ ...sink.stats, lag: lag(), putBack })
  try {
    await carry(source, sink, stats, options)
  } finally {
    if (!journaled) putBack = returnFrames(queue, sink.unstored)
  }
  return stats()
}

/** How many messages there are, or were when the queue still said so: its end is the source's to tell. */
function depthOf(queue: MessageQueue): () => number {
  let depth = 0
  return () => {
    try {
      depth = queue.stats().messages
    } catch (error) {
      if (!(error instanceof QueueError)) throw error
    }
    return depth
  }
}

/** Some of them may have been stored, without our hearing of it: then they come twice. */
function returnFrames(queue: MessageQueue, frames: Frame[]): number {
  const lost = frames.filter(({ type, data }) => !queue.trySend(data, { type }))
  if (lost.length > 0) {
    throw new QueueError('ERR_FRAMES_LOST', {
      address: queue.address,
      message: `${lost.length} message(s) were not stored and could not be put back`,
      hint: 'the queue is full; the error has them as `frames`',
      frames: lost,
    })
  }
  return frames.length
}

async function inwards(
  queue: MessageQueue,
  connection: NatsConnection,
  { stream }: NatsAddress,
  options: BridgeOptions,
): Promise<BridgeStats> {
  const { type, highWaterMark = HIGH_WATER_MARK } = options
  const source = fromJetStream(jetstream(connection), {
    stream,
    consumer: options.consumer ?? nameOf(`kmq-${hostname()}-${queue.address}`),
    highWaterMark,
    position: options.journal ?? stateFile(queue, stream, 'position'),
    ...(type !== undefined && { type }),
  })
  if (options.onRetry) source.on('retry', options.onRetry)
  const stats = (): BridgeStats => ({ ...source.stats, putBack: 0 })
  await carry(source, toQueue(queue), stats, options)
  return stats()
}

/** Runs the pipeline until it fails or is told to stop, and gives it some time for that. */
async function carry(
  source: Readable & { stop(): void },
  sink: Writable,
  stats: () => BridgeStats,
  { signal, grace = GRACE_MS, onReady, onStatus, statusInterval = STATUS_MS }: BridgeOptions,
): Promise<void> {
  const giveUp = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    source.stop()
    timer = setTimeout(() => giveUp.abort(), grace)
  }
  const status = onStatus && setInterval(() => onStatus(stats()), statusInterval)
  const done = pipeline(source, sink, { signal: giveUp.signal })
  onReady?.()
  if (signal?.aborted) end()
  else signal?.addEventListener('abort', end, { once: true })
  try {
    await done
  } catch (error) {
    // What had not arrived in time is where it came from.
    if (!giveUp.signal.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', end)
    clearTimeout(timer)
    clearInterval(status)
    onStatus?.(stats())
  }
}

function stateFile(queue: MessageQueue, stream: string, what: string): string {
  return join(stateFolder(), `${nameOf(`${queue.address}-${stream}`)}.${what}`)
}

function stateFolder(): string {
  const { STATE_DIRECTORY, XDG_STATE_HOME } = process.env
  // systemd gives several with colons; the first is ours.
  if (STATE_DIRECTORY) return STATE_DIRECTORY.split(':')[0] as string
  if (process.getuid?.() === 0) return '/var/lib/kernelmq'
  return join(XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'kernelmq')
}

/** One word of letters that any name takes. */
function nameOf(text: string): string {
  return text.replace(/[^A-Za-z0-9_=-]+/g, '-').replace(/^-|-$/g, '')
}
