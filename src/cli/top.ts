/** `kmq top` */
import type { Command } from 'commander'
import pico from 'picocolors'
import { Stopped } from './failure.js'
import { print } from './output.js'
import { stopOnSignals } from './stopping.js'
import { LiveView } from './top/live.js'
import { Sampler } from './top/sampler.js'
import { isTerminal, Screen } from './top/screen.js'
import { sortRows, summaryLine, tableLines } from './top/view.js'
import { parsePositive, parseSeconds } from './values.js'

interface Options {
  json?: boolean
  interval?: number
  count?: number
}

/** Wide enough for every column, where no terminal sets a width. */
const PLAIN_WIDTH = 160

export function define(command: Command): Command {
  return command
    .option('--json', 'print an object a line, for every interval')
    .option('-i, --interval <seconds>', 'how often (default: 1)', parseSeconds)
    .option('-c, --count <n>', 'exit after so many intervals', parsePositive)
    .addHelpText(
      'after',
      `
Without a terminal, and with --json, one interval is printed; --interval and --count ask for more.
Rates are lower bounds: what comes and goes between two looks at the depth is not seen.`,
    )
    .action(top)
}

async function top(options: Options): Promise<void> {
  const sampler = new Sampler().start()
  using stopping = stopOnSignals()
  const live = isTerminal() && !options.json
  const { interval, count = live || interval !== undefined ? Number.POSITIVE_INFINITY : 1 } =
    options
  try {
    const run = live ? watch : printAll
    await run(sampler, { ...options, interval: interval ?? 1, count }, stopping.signal)
  } finally {
    sampler.stop()
  }
  if (stopping.by !== undefined) throw new Stopped(stopping.by)
}

interface Pace {
  interval: number
  count: number
}

/** Calls back once an interval, until it has done so often enough, or the signal is aborted. */
async function everyInterval(
  { interval, count }: Pace,
  signal: AbortSignal,
  work: () => Promise<void> | void,
): Promise<void> {
  for (let done = 0; done < count; done++) {
    await pause(interval * 1000, signal)
    if (signal.aborted) return
    await work()
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(over, ms)
    function over() {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    if (signal.aborted) over()
    else signal.addEventListener('abort', over)
  })
}

async function watch(sampler: Sampler, pace: Pace, signal: AbortSignal): Promise<void> {
  const quit = new AbortController()
  const screen = new Screen()
  const colors = pico.createColors(process.stdout.hasColors())
  const view = new LiveView(screen, sampler, colors, () => quit.abort())
  view.open()
  try {
    view.refresh()
    const either = AbortSignal.any([signal, quit.signal])
    await everyInterval(pace, either, () => view.refresh())
  } finally {
    view.close()
  }
}

async function printAll(
  sampler: Sampler,
  { json, ...pace }: Pace & Options & { interval: number; count: number },
  signal: AbortSignal,
): Promise<void> {
  const colors = pico.createColors(false)
  await everyInterval(pace, signal, async () => {
    const rows = sampler.rows()
    const time = new Date()
    if (json) {
      await print(`${JSON.stringify({ time, queues: rows })}\n`)
      return
    }
    const sorting = { column: 0, reverse: false }
    const lines = tableLines(sortRows(rows, sorting), PLAIN_WIDTH, undefined, colors)
    await print(`${[summaryLine(rows, time), ...lines].join('\n')}\n`)
  })
}
