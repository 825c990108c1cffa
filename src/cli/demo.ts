/**
 * `kmq demo`: the main job on real input. Two processes and a log, through both kinds of queue: what
 * arrived, in what order, how fast, and by hash that nothing was lost.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { pipeline as connect } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { type MessageQueue, open } from '../index.js'
import { packageFolder } from '../package.js'
import { type Level, type Levels, levelsFor } from './demo/levels.js'
import { bytesOf, findLog, Lines, type Log } from './demo/log.js'
import type { Report, Task } from './demo/reader.js'
import { type Summary, Tally } from './demo/tally.js'
import { escapeLine } from './format/escape.js'
import { print } from './output.js'
import { parsePositive } from './values.js'

/** With fewer lines a rate means little. */
const LINES_FOR_A_RATE = 50_000
/** The order of arrival is shown with as many lines: what a POSIX queue takes by default. */
const BACKLOG = 10
const LONGEST_LINE = 4096

interface Stage {
  readonly log: string
  readonly rounds: number
  readonly levels: Levels
  /** Lines that follow each other in the log, chosen for their different levels. */
  readonly backlog: string[]
  readonly reader: Reader
}

export function define(command: Command): Command {
  return command
    .argument('[file]', 'the log to send (default: one of the system’s own)')
    .option(
      '--lines <n>',
      'send the log over and over until it is at least so many lines',
      parsePositive,
      LINES_FOR_A_RATE,
    )
    .action(demo)
}

async function demo(file: string | undefined, options: { lines: number }): Promise<void> {
  const log: Log = file === undefined ? findLog() : { file }
  const { lines, bytes, levels, backlog } = await survey(log.file)
  const rounds = Math.ceil(options.lines / lines)
  using reader = new Reader()
  if (log.remark) await say(log.remark)
  await say(
    `${log.file}: ${count(lines)} lines, ${size(bytes)}. Process ${process.pid} sends them line by line,`,
  )
  await say(`process ${reader.pid} receives them.`)
  if (rounds > 1) await say(`The log is short for a rate, so it is sent ${rounds} times over.`)
  await say('Each line is a message, keyed by how urgent it is:')
  for (const level of [4, 3, 2, 1] as const) {
    await say(
      `  ${levels.names[level].padEnd(30)} POSIX priority ${level}   System V type ${5 - level}`,
    )
  }
  await say(`The order is shown with ${backlog.length} of them that follow each other in the log:`)
  for (const [index, line] of backlog.entries()) {
    await say(
      `  ${String(index + 1).padStart(2)}  level ${levels.of(line)}  ${escapeLine(line.trimEnd()).slice(0, 72)}`,
    )
  }
  const stage: Stage = { log: log.file, rounds, levels, backlog, reader }
  const posix = await perform(
    stage,
    posixKind(),
    open(`/kernelmq-demo-${process.pid}`, { create: true, exclusive: true }),
  )
  const sysv = await perform(stage, sysvKind(), open({ private: true }))
  if (!posix || !sysv) throw new Error('what was received is not what was sent')
  await say('\nNothing was lost: all hashes are the same.')
}

interface Kind {
  name: string
  typeOf(level: Level): number
  levelOf(type: number): Level
  /** An empty message of this type comes last of all. */
  markType: number
  /** The orders to show: how they are asked for. */
  orders: { title: string; type: number }[]
}

const posixKind = (): Kind => ({
  name: 'POSIX queue',
  // The highest priority comes first.
  typeOf: (level) => level,
  levelOf: (type) => type as Level,
  markType: 0,
  orders: [{ title: 'urgent lines overtake', type: 0 }],
})

const sysvKind = (): Kind => ({
  name: 'System V queue',
  // Receiving type -n takes the lowest type first.
  typeOf: (level) => 5 - level,
  levelOf: (type) => (5 - type) as Level,
  markType: 4,
  orders: [
    { title: 'in the order sent; { type: 0 }', type: 0 },
    { title: 'urgent lines first, as the reader asks: { type: -4 }', type: -4 },
  ],
})

async function perform(stage: Stage, kind: Kind, queue: MessageQueue): Promise<boolean> {
  const forget = cleanUpOnSignal(queue, stage.reader)
  try {
    const { maxMessageSize } = queue
    const stats = queue.stats()
    const room = stats.kind === 'posix' ? `${stats.maxMessages} messages` : size(stats.maxBytes)
    await say('')
    await say(`${kind.name} ${queue.address}, room for ${room} of up to ${maxMessageSize} bytes`)
    await say('  frames as a stream: for await (const { type, data } of queue.readable())')
    const asStream = await transmit(stage, kind, queue, 'stream')
    await say("  frames as events: consumer.on('message', …), consumer.on('message:TYPE', …)")
    const byEvents = await transmit(stage, kind, queue, 'events')
    await say(`  a backlog: ${stage.backlog.length} lines sent while nobody reads`)
    await say(`    sent     ${stage.backlog.map((_, index) => index + 1).join(' ')}`)
    for (const order of kind.orders) await showOrder(stage, kind, queue, order)
    return asStream && byEvents
  } finally {
    queue.unlink()
    forget()
    await queue.close()
  }
}

/** Sends the log to the other process, and compares what went with what came. */
async function transmit(
  { log, rounds, levels, reader }: Stage,
  kind: Kind,
  queue: MessageQueue,
  how: 'stream' | 'events',
): Promise<boolean> {
  const urgent = kind.typeOf(4)
  const reading = reader.perform({ how, address: queue.address, urgent } as const)
  const sent = new Tally()
  const type = (line: Buffer) => {
    const type = kind.typeOf(levels.of(line.toString()))
    sent.add(type, line)
    return type
  }
  const sending = pipeline(
    bytesOf(log, rounds),
    new Lines(LONGEST_LINE),
    queue.writable({ type }),
  ).then(() => queue.send('', { type: kind.markType }))
  const [report] = await Promise.all([reading, sending])
  const went = sent.finish()
  const came = report.summary
  const seconds = came.milliseconds / 1000
  await say(
    `    ${count(came.messages)} messages, ${size(came.bytes)} in ${seconds.toFixed(2)} s: ${count(came.messages / seconds)} a second, ${size(came.bytes / seconds)}/s`,
  )
  let same = went.messages === came.messages
  for (const level of [4, 3, 2, 1] as const) {
    same = (await compare(kind.typeOf(level), levels.names[level], went, came)) && same
  }
  if (report.urgent !== undefined) {
    await say(`    'message:${urgent}' was heard ${count(report.urgent)} times`)
    same &&= report.urgent === (went.types[urgent]?.messages ?? 0)
  }
  return same
}

async function compare(type: number, name: string, went: Summary, came: Summary): Promise<boolean> {
  const out = went.types[type]
  const back = came.types[type]
  if (!out && !back) return true
  const same = out?.messages === back?.messages && out?.sha256 === back?.sha256
  const hash = (side: typeof out) => side?.sha256.slice(0, 12) ?? 'nothing'
  const verdict = same ? 'same' : `DIFFERS: ${out?.messages ?? 0} were sent`
  await say(
    `    type ${type}  ${count(back?.messages ?? 0).padStart(8)}  sha256 sent ${hash(out)}, received ${hash(back)}: ${verdict}  (${name})`,
  )
  return same
}

/** Lets a backlog form while nobody reads, then asks the other process in which order it comes. */
async function showOrder(
  stage: Stage,
  kind: Kind,
  queue: MessageQueue,
  { title, type }: { title: string; type: number },
): Promise<void> {
  const { backlog, levels, reader } = stage
  for (const line of backlog) {
    await queue.send(line, { type: kind.typeOf(levels.of(line)) })
  }
  const task = { how: 'order', address: queue.address, count: backlog.length, type } as const
  const places = backlog.map((line, index) => ({ line, number: index + 1 }))
  const numbers = (await reader.perform(task)).lines.map((line) => {
    const place = places.findIndex((each) => each.line === line)
    // Several lines may have the same text.
    return place < 0 ? '?' : places.splice(place, 1)[0]?.number
  })
  await say(`    received ${numbers.join(' ')}   ${title}`)
}

/** Reads the log once: how long it is, what its levels are, which lines show their order best. */
async function survey(file: string) {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`${file} is no file`)
  let lines = 0
  let bytes = 0
  let levels: Levels | undefined
  const recent: { line: string; level: Level }[] = []
  let backlog: string[] = []
  let best = -1
  // What goes wrong destroys the last of them, so the loop throws it.
  const pieces = connect(bytesOf(file), new Lines(LONGEST_LINE), () => {})
  for await (const piece of pieces) {
    const line = piece.toString()
    levels ??= levelsFor(line)
    lines++
    bytes += piece.length
    recent.push({ line, level: levels.of(line) })
    if (recent.length > BACKLOG) recent.shift()
    const worth = disorder(recent.map(({ level }) => level))
    if (worth <= best) continue
    best = worth
    backlog = recent.map((each) => each.line)
  }
  if (!levels) throw new Error(`${file} is empty: there is nothing to send`)
  return { lines, bytes, levels, backlog }
}

/** How much a sequence changes when it is sorted by level; more levels weigh more. */
function disorder(levels: Level[]): number {
  let overtakings = 0
  for (const [index, level] of levels.entries()) {
    for (const earlier of levels.slice(0, index)) if (earlier < level) overtakings++
  }
  return new Set(levels).size * 100 + overtakings
}

/** The other process. */
class Reader implements Disposable {
  readonly #child: ChildProcess

  constructor() {
    // The options of this process may be for no script file: `node --eval`.
    const script = join(packageFolder, 'dist/cli/demo/reader.js')
    this.#child = fork(script, { execArgv: [] })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  async perform<T extends Task>(task: T): Promise<Report & { how: T['how'] }> {
    const over = new AbortController()
    const { signal } = over
    const died = once(this.#child, 'exit', { signal }).then(([code, name]) => {
      throw new Error(`the receiving process ended early (${name ?? code})`)
    })
    try {
      this.#child.send(task)
      const [report] = await Promise.race([once(this.#child, 'message', { signal }), died])
      return report
    } finally {
      // Ends whichever has not come, with an AbortError that is nobody's business.
      died.catch(() => {})
      over.abort()
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}

/** A queue outlives its processes: one that is interrupted removes it, once nobody waits on it. */
function cleanUpOnSignal(queue: MessageQueue, reader: Reader): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const listeners = signals.map((signal) => {
    const listener = () => {
      reader[Symbol.dispose]()
      queue.unlink()
      process.exit(128 + constants.signals[signal])
    }
    process.once(signal, listener)
    return () => process.off(signal, listener)
  })
  return () => {
    for (const forget of listeners) forget()
  }
}

function say(line: string): Promise<void> {
  return print(`${line}\n`)
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function size(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB']
  let unit = 0
  let value = bytes
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
