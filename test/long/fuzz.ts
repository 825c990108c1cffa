/**
 * Calls everything that the package exports with random arguments, plausible ones and rubbish: nothing
 * may crash, and every error must be one of the documented kinds. `npm run test:fuzz` runs it under
 * AddressSanitizer.
 *
 *   npm run test:fuzz -- --calls 1000000 --seed 1
 *
 * It works in an IPC namespace of its own, for it removes queues and writes limits, too.
 */
import { spawnSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { inspect, parseArgs } from 'node:util'
import fc from 'fast-check'
import * as kernelmq from 'kernelmq'
import { noNamespace, ownNamespace } from '../fixtures/child.js'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const wanted = Number(values.calls)
const seed = Number(values.seed)
/** Calls on the same queues. */
const BATCH = 500

type Arbitrary = fc.Arbitrary<unknown>

const rubbish: Arbitrary = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', 0, -1, 0.5, Number.NaN, Infinity, 2 ** 53, -(2n ** 64n)),
  fc.constantFrom<unknown>({}, [], Symbol('rubbish'), () => 7, Buffer.alloc(0), new Map(), /x/),
  fc.anything({ maxDepth: 1, maxKeys: 3, withBigInt: true, withDate: true, withTypedArray: true }),
)
const often = (arbitrary: Arbitrary): Arbitrary =>
  fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: rubbish })

const type = fc.oneof(
  fc.nat(4),
  fc.integer({ min: -5, max: 40_000 }),
  fc.bigInt({ max: 2n ** 63n }),
)
const signal = fc.boolean().map((aborted) => {
  const controller = new AbortController()
  if (aborted) controller.abort()
  else setTimeout(() => controller.abort(), 1)
  return controller.signal
})
const data = fc.oneof(
  fc.string(),
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => new DataView(bytes.buffer)),
  fc.constantFrom(Buffer.alloc(9000), new Float64Array(3), 'ä€😀'.repeat(50)),
)
const codec = fc.constantFrom('buffer', 'utf8', 'json', {
  encode: (value: unknown) => String(value),
  decode: (bytes: Buffer) => bytes.length,
})
const option: Record<string, Arbitrary> = {
  create: fc.boolean(),
  exclusive: fc.boolean(),
  mode: fc.integer({ min: 0, max: 0o777 }),
  access: fc.constantFrom('read', 'write', 'read-write'),
  maxMessages: fc.integer({ min: 1, max: 12 }),
  maxMessageSize: fc.integer({ min: 1, max: 1024 }),
  maxBytes: fc.integer({ min: 1, max: 20_000 }),
  uid: fc.constantFrom(0, 1, 65534),
  gid: fc.constantFrom(0, 1, 65534),
  type,
  signal,
  codec,
  except: fc.boolean(),
  bigint: fc.boolean(),
  timeout: fc.integer({ min: 0, max: 5 }),
  eof: fc.boolean(),
  ack: fc.boolean(),
  requeue: fc.boolean(),
  objectMode: fc.boolean(),
  highWaterMark: fc.nat(20),
  unclaimed: fc.constantFrom('hold', 'discard'),
  msgmax: fc.integer({ min: -1, max: 16_384 }),
  msgmnb: fc.integer({ min: -1, max: 65_536 }),
  msgmni: fc.integer({ min: 0, max: 100 }),
  msg_max: fc.integer({ min: 0, max: 20 }),
  msgsize_max: fc.integer({ min: 0, max: 16_384 }),
  queues_max: fc.integer({ min: 0, max: 300 }),
}
function options(...names: string[]): Arbitrary {
  const model = Object.fromEntries(names.map((name) => [name, often(option[name] as Arbitrary)]))
  return fc.oneof(
    { weight: 12, arbitrary: fc.record(model, { requiredKeys: [] }) },
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.dictionary(fc.string(), rubbish) },
    { weight: 1, arbitrary: rubbish },
  )
}
const reading = ['type', 'except', 'bigint', 'highWaterMark', 'codec', 'eof', 'objectMode', 'ack']
const readableOptions = options(...reading, 'requeue', 'signal')
const writableOptions = options('type', 'highWaterMark', 'codec', 'eof', 'objectMode', 'signal')

const addresses = ['/kernelmq-fuzz-a', '/kernelmq-fuzz-b', 'sysv:0x7a', 'sysv:0x7b'] as const
const address = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<unknown>(...addresses, 0x7a) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      ...['', '/', '/a/b', '/a\0b', 'sysv:', 'sysv:0', 'sysv:id=0', 'sysv:private', 'posix:fd=0'],
      ...[
        { file: '/etc/passwd', project: 7 },
        { file: '/no/such/file', project: 'x' },
      ],
      ...[{ private: true }, { fd: 100_000 }, { id: 2 ** 31 - 1 }, { name: '/x', key: 1 }],
    ),
  },
  { weight: 1, arbitrary: fc.string().map((text) => `/${text}`) },
  { weight: 1, arbitrary: rubbish },
)
const opening = ['create', 'exclusive', 'mode', 'access', 'maxMessages', 'maxMessageSize']

/** What is called, on what, and with which arguments. */
const calls = {
  module: {
    open: [address, options(...opening, 'maxBytes')],
    unlink: [address],
    ftok: [often(fc.constantFrom('/etc/passwd', '')), often(fc.nat(300))],
    parseAddress: [address],
    formatAddress: [address],
    list: [],
    limits: [],
    setLimits: [
      fc.record(
        {
          sysv: options('msgmax', 'msgmnb', 'msgmni'),
          posix: options('msg_max', 'msgsize_max', 'queues_max'),
        },
        { requiredKeys: [] },
      ),
    ],
    posixCost: [often(fc.nat()), often(fc.nat())],
  },
  queue: {
    send: [often(data), options('type', 'signal', 'timeout')],
    receive: [options('type', 'except', 'bigint', 'signal', 'timeout')],
    trySend: [often(data), options('type')],
    tryReceive: [options('type', 'except', 'bigint')],
    peek: [often(fc.nat(20)), options('bigint')],
    clear: [options('type')],
    stats: [],
    configure: [options('mode', 'uid', 'gid', 'maxBytes')],
    notify: [options('signal')],
    readable: [readableOptions],
    writable: [writableOptions],
    duplex: [fc.oneof(fc.record({ receive: readableOptions, send: writableOptions }), rubbish)],
    consumer: [readableOptions],
    demultiplex: [options('highWaterMark', 'unclaimed')],
    ref: [],
    unref: [],
    unlink: [],
    close: [],
  },
  stream: {
    write: [often(fc.oneof(data, fc.record({ type, data })))],
    end: [],
    read: [],
    stop: [],
    pause: [],
    resume: [],
    readable: [often(fc.oneof(type, fc.array(type)))],
    ref: [],
    unref: [],
    destroy: [],
    close: [],
  },
} as const satisfies Record<string, Record<string, readonly Arbitrary[]>>

interface Call {
  target: keyof typeof calls
  method: string
  args: unknown[]
  /** Which of the targets there are. */
  choice: number
}

const call: fc.Arbitrary<Call> = fc.oneof(
  ...(Object.keys(calls) as (keyof typeof calls)[]).flatMap((target) =>
    Object.entries(calls[target] as Record<string, readonly Arbitrary[]>).map(([method, args]) => ({
      // What ends things comes seldom, so that they live for a while.
      weight: /^(close|destroy|unlink|end|setLimits|list)$/.test(method) ? 1 : 8,
      arbitrary: fc.record({
        target: fc.constant(target),
        method: fc.constant(method),
        args: fc.tuple(...args),
        choice: fc.nat(),
      }) as fc.Arbitrary<Call>,
    })),
  ),
)

type Callable = Record<string, (...args: unknown[]) => unknown>
const counts = { made: 0, returned: 0, refused: 0 }
const wrong: string[] = []

/** Documented: an error of ours, or a wrong argument with its code; also the streams' own errors. */
function isDocumented(error: unknown): boolean {
  if (error instanceof kernelmq.QueueError) return true
  if (!(error instanceof Error)) return false
  // What a codec throws is the caller's own: JSON.stringify() of a bigint, say.
  if (/\bencode \(/.test(error.stack ?? '')) return true
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' && /^(ERR_|ABORT_ERR$)/.test(code)
}

function refused(error: unknown, { target, method, args }: Call): void {
  counts.refused++
  if (isDocumented(error)) return
  wrong.push(`${target}.${method}(${inspect(args)}): ${inspect(error)}`)
}

class Batch {
  readonly module: Callable[] = [kernelmq as unknown as Callable]
  readonly queue: Callable[] = []
  readonly stream: Callable[] = []

  make(each: Call): void {
    const targets = this[each.target]
    const target = targets[each.choice % targets.length]
    // Not all streams have all of their methods; the queues do.
    if (!target || (each.target === 'stream' && typeof target[each.method] !== 'function')) return
    counts.made++
    try {
      this.#keep((target[each.method] as Callable['x']).apply(target, each.args), each)
      counts.returned++
    } catch (error) {
      refused(error, each)
    }
  }

  #keep(result: unknown, each: Call): void {
    if (result instanceof Promise) {
      result.catch((error) => refused(error, each))
    } else if (result instanceof kernelmq.MessageQueue) {
      if (!this.queue.includes(result as never)) this.queue.push(result as never)
    } else if (typeof (result as Callable | null)?.on === 'function') {
      const stream = result as Callable & NodeJS.EventEmitter
      if (this.stream.includes(stream)) return
      this.stream.push(stream)
      stream.on('error', (error) => refused(error, each))
      if (each.choice % 2) stream.on(each.choice % 4 === 1 ? 'data' : 'message', () => {})
    }
  }

  async end(): Promise<void> {
    const closing = this.queue.map((queue) => (queue as unknown as kernelmq.MessageQueue).close())
    for (const { status, reason } of (await Promise.allSettled(
      closing,
    )) as PromiseRejectedResult[]) {
      if (status === 'rejected') {
        refused(reason, { target: 'queue', method: 'close', args: [], choice: 0 })
      }
    }
    kernelmq.setLimits({ sysv: { msgmax: 8192, msgmnb: 16384, msgmni: 1000 } })
    kernelmq.setLimits({ posix: { msg_max: 10, msgsize_max: 8192, queues_max: 256 } })
    for (const queue of kernelmq.list()) {
      if (queue.kind === 'sysv') kernelmq.unlink({ id: queue.id })
    }
    for (const name of addresses.filter((address) => address.startsWith('/'))) {
      try {
        kernelmq.unlink(name)
      } catch (error) {
        if ((error as kernelmq.QueueError).code !== 'ENOENT') throw error
      }
    }
  }
}

async function fuzz(): Promise<void> {
  const began = performance.now()
  for (let batch = 0; counts.made < wanted && wrong.length === 0; batch++) {
    const made = new Batch()
    for (const address of addresses) {
      const small = address.startsWith('/') ? { maxMessages: 4, maxMessageSize: 512 } : {}
      made.queue.push(kernelmq.open(address, { create: true, ...small }) as unknown as Callable)
    }
    for (const [i, each] of fc.sample(call, { numRuns: BATCH, seed: seed + batch }).entries()) {
      made.make(each)
      if (i % 10 === 9) await setImmediate()
    }
    await made.end()
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  for (const each of wrong) console.log(each)
  console.log(
    `seed ${seed}: ${counts.made} calls in ${seconds} s, ${counts.returned} returned, ` +
      `${counts.refused} refused, now or later; ${wrong.length} error(s) of an undocumented kind`,
  )
  process.exitCode = wrong.length === 0 ? 0 : 1
}

if (process.env.KERNELMQ_FUZZ === 'in a namespace') {
  await fuzz()
} else if (noNamespace) {
  console.error(`cannot run: ${noNamespace}`)
  process.exitCode = 1
} else {
  const [command, ...rest] = [...ownNamespace, process.execPath, ...process.execArgv]
  const args = [...rest, ...process.argv.slice(1)]
  const env = { ...process.env, KERNELMQ_FUZZ: 'in a namespace' }
  process.exitCode = spawnSync(command as string, args, { stdio: 'inherit', env }).status ?? 1
}
