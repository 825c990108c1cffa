/** `kmq bridge` */
import { isatty } from 'node:tty'
import type { Command } from 'commander'
import { hidePassword } from '../bridge/hide-password.js'
import type { BridgeOptions, BridgeStats, Credentials } from '../nats.js'
import { note, plural, say } from './notes.js'
import { stopOnSignals } from './stopping.js'
import { parseBytes, parsePositive, parseSeconds, parseType } from './values.js'

interface Options extends Credentials {
  create?: boolean
  type?: number | bigint
  except?: boolean
  window?: number
  journal?: string
  consumer?: string
  shared?: boolean
  maxBytes?: number
  replicas?: number
  duplicateWindow?: number
  workqueue?: boolean
  quiet?: boolean
}

const help = `
One of FROM and TO is a queue, the other nats://host:port/STREAM (tls:// for encryption; several servers
with commas). Messages are published to STREAM.TYPE. The stream is created if it is not there.

Credentials: user:password@ or token@ in the URL, the options above, or the variables NATS_CREDS, NATS_NKEY,
NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CA, NATS_CERT, NATS_KEY.

A bridge runs until it is told to stop, by a signal, and then ends with status 0.`

export function define(command: Command): Command {
  return command
    .argument('<from>', 'a queue, or nats://host:port/STREAM')
    .argument('<to>', 'nats://host:port/STREAM, or a queue')
    .option('--create', 'create the queue if it is not there')
    .option('--type <n>', 'only messages of this type', parseType)
    .option('--except', 'to NATS: all but that type')
    .option('--window <n>', 'messages on their way at most (default: 256)', parsePositive)
    .option('--journal <file>', 'where to remember how far the bridge is')
    .option('--consumer <name>', 'from NATS: the durable consumer')
    .option('--shared', 'to NATS: others publish to the stream too')
    .option('--max-bytes <bytes>', 'of a stream created here', parseBytes)
    .option('--replicas <n>', 'of a stream created here', parsePositive)
    .option('--duplicate-window <seconds>', 'of a stream created here', parseSeconds)
    .option('--workqueue', 'a stream created here keeps messages until they are consumed')
    .option('--creds <file>', 'a JWT and its seed')
    .option('--nkey <file>', "an nkey's seed")
    .option('--tls-ca <file>', 'PEM')
    .option('--tls-cert <file>', 'PEM')
    .option('--tls-key <file>', 'PEM')
    .addHelpText('after', help)
    .action(bridge)
}

async function bridge(from: string, to: string, options: Options): Promise<void> {
  const { runBridge } = await loadBridge()
  using stopping = stopOnSignals()
  const status = new Status(options.quiet ?? false)
  try {
    const stats = await runBridge(from, to, {
      ...bridgeOptions(options),
      signal: stopping.signal,
      onReady: () => status.note(`bridging ${hidePassword(from)}`),
      onRetry: (error) => status.retry(error),
      onStatus: (stats) => status.show(stats),
    })
    status.sum(stats)
  } finally {
    status.clear()
  }
}

function bridgeOptions({
  window,
  maxBytes,
  replicas,
  duplicateWindow,
  workqueue,
  quiet: _,
  ...rest
}: Options): BridgeOptions {
  const { create, type, except, journal, consumer, shared, ...credentials } = rest
  const given = { create, type, except, journal, consumer, shared, highWaterMark: window }
  const limits = {
    maxBytes,
    replicas,
    duplicateWindow: duplicateWindow && Math.round(duplicateWindow * 1000),
    retention: workqueue ? 'workqueue' : undefined,
  }
  return {
    ...withoutUndefined(given),
    limits: withoutUndefined(limits),
    credentials,
  } as BridgeOptions
}

function withoutUndefined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** The NATS clients are optional: who does not bridge need not have them. */
async function loadBridge(): Promise<typeof import('../nats.js')> {
  try {
    return await import('../nats.js')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@nats-io/')) throw cause
    throw Object.assign(new Error('the NATS clients are not installed', { cause }), {
      hint: 'npm install @nats-io/transport-node @nats-io/jetstream',
    })
  }
}

/** A line that is written over and over, on a terminal; and what is worth a line of its own. */
class Status {
  readonly #quiet: boolean
  readonly #terminal = isatty(2)
  #frames = 0
  #at = performance.now()
  #trouble = ''

  constructor(quiet: boolean) {
    this.#quiet = quiet
  }

  show(stats: BridgeStats): void {
    const now = performance.now()
    const rate = Math.round(((stats.frames - this.#frames) * 1000) / Math.max(1, now - this.#at))
    if (stats.frames > this.#frames) this.#trouble = ''
    this.#frames = stats.frames
    this.#at = now
    if (this.#quiet || !this.#terminal) return
    const { frames, inFlight, lag, retries } = stats
    const line = `${frames} messages, ${rate}/s, ${inFlight} on their way, ${lag} waiting, ${retries} retries`
    say(`\r\x1b[K${line}${this.#trouble && `: ${this.#trouble}`}`)
  }

  /** Told once, until messages go again. */
  retry({ message }: Error): void {
    if (message === this.#trouble) return
    this.#trouble = message
    this.note(`${message}; trying again`)
  }

  sum({ frames, bytes, retries, repeats, putBack }: BridgeStats): void {
    const parts = [plural(frames, 'message'), plural(bytes, 'byte')]
    if (retries > 0) parts.push(`tried again ${plural(retries, 'time')}`)
    if (repeats > 0) parts.push(`${plural(repeats, 'repeat')} dropped`)
    if (putBack > 0) parts.push(`${putBack} put back`)
    this.note(parts.join(', '))
  }

  note(text: string): void {
    this.clear()
    note(this.#quiet, text)
  }

  clear(): void {
    if (!this.#quiet && this.#terminal) say('\r\x1b[K')
  }
}
