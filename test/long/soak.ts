/**
 * Streams at half of the rate that the machine can do, for as long as one likes, and watches what the
 * process uses: memory, descriptors, threads. Each kind has a process of its own.
 *
 *   npm run soak -- --minutes 60
 */
import { parseArgs } from 'node:util'
import { type Child, startFile } from '../fixtures/processes.js'
import { kinds, openQueue } from '../fixtures/queues.js'
import { Owner } from './owner.js'

const LIMIT_BYTES = 5 * 1024 * 1024
// V8 lets the young generation grow by megabytes for as long as minutes, which is no leak.
const flags = ['--max-semi-space-size=1']
/** Samples, however long it takes. */
const SAMPLES = 60

interface Sample {
  rss: number
  descriptors: number
  threads: number
  sent: number
  received: number
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } })
const interval = (Number(values.minutes) * 60_000) / SAMPLES
const owner = new Owner()

async function watch(kind: string, child: Child): Promise<void> {
  const samples: Sample[] = []
  while (samples.length < SAMPLES) samples.push(JSON.parse(await child.line()))
  child.tell('stop')
  const last = JSON.parse(await child.line()) as Sample
  const { code, stderr } = await child.outcome
  // The first third is for caches, pools and the heap to find their size.
  const quiet = samples.slice(SAMPLES / 3)
  const mean = (part: Sample[]) => part.reduce((sum, { rss }) => sum + rss, 0) / part.length
  const half = quiet.length / 2
  const growth = mean(quiet.slice(half)) - mean(quiet.slice(0, half))
  const most = (what: 'descriptors' | 'threads') => Math.max(...quiet.map((each) => each[what]))
  const least = (what: 'descriptors' | 'threads') => Math.min(...quiet.map((each) => each[what]))
  const ok =
    code === 0 &&
    growth < LIMIT_BYTES &&
    most('descriptors') === least('descriptors') &&
    // A waiting thread more or less, but no more of them all the time.
    most('threads') - least('threads') <= 2 &&
    last.sent === last.received
  console.log(
    `${kind}: ${values.minutes} minutes, ${last.sent} messages sent, ${last.received} received; ` +
      `memory grew by ${(growth / 2 ** 20).toFixed(2)} MiB, ` +
      `descriptors ${least('descriptors')} to ${most('descriptors')}, ` +
      `threads ${least('threads')} to ${most('threads')}: ${ok ? 'flat' : 'NOT FLAT'}`,
  )
  if (!ok) {
    console.error(stderr)
    process.exitCode = 1
  }
}

await Promise.all(
  kinds.map((kind) => {
    const { address } = openQueue(owner, kind)
    return watch(kind, startFile(owner, 'soak.mjs', { address, interval }, { flags }))
  }),
)
await owner.release()
