/** The columns of `kmq top`: what each shows and how rows are sorted by it. */
import type pico from 'picocolors'
import { escapeLine } from '../format/escape.js'
import { formatBytes, formatNumber } from '../format/queue.js'
import type { Process } from '../system/processes.js'
import type { Row } from './sampler.js'

export type Colors = ReturnType<typeof pico.createColors>

export interface TopColumn {
  title: string
  /** 0: whatever is left of the line. */
  width: number
  align?: 'left' | 'right'
  cell(row: Row, colors: Colors): string
  /** Larger comes first, text in its order. */
  sortBy?(row: Row): number | string
  /** Left out first where the terminal is narrow. */
  priority: number
}

const BAR = 10

export const columns: readonly TopColumn[] = [
  {
    title: 'QUEUE',
    width: 0,
    cell: ({ address }) => escapeLine(address),
    sortBy: ({ address }) => address,
    priority: 0,
  },
  {
    title: 'MESSAGES',
    width: 8,
    align: 'right',
    cell: ({ messages }) => formatNumber(messages),
    sortBy: ({ messages }) => messages,
    priority: 0,
  },
  {
    title: 'BYTES',
    width: 8,
    align: 'right',
    cell: ({ bytes }) => formatBytes(bytes),
    sortBy: ({ bytes }) => bytes,
    priority: 4,
  },
  { title: 'FILL', width: BAR + 5, cell: fillCell, sortBy: ({ fill }) => fill, priority: 1 },
  {
    title: 'OVER TIME',
    width: 20,
    cell: ({ history }, colors) => colors.cyan(sparkline(history)),
    priority: 5,
  },
  {
    title: 'IN/s',
    width: 7,
    align: 'right',
    cell: ({ inPerSecond, sending }) => rate(inPerSecond, sending),
    sortBy: ({ inPerSecond, sending }) => inPerSecond || Number(sending),
    priority: 2,
  },
  {
    title: 'OUT/s',
    width: 7,
    align: 'right',
    cell: ({ outPerSecond, receiving }) => rate(outPerSecond, receiving),
    sortBy: ({ outPerSecond, receiving }) => outPerSecond || Number(receiving),
    priority: 2,
  },
  {
    title: 'BLOCKED',
    width: 9,
    cell: blockedCell,
    sortBy: ({ blocked }) => blocked.senders + blocked.receivers,
    priority: 3,
  },
  {
    title: 'LAST SENDER',
    width: 22,
    cell: ({ sender }, colors) => processCell(sender, colors),
    sortBy: ({ sender }) => sender?.pid ?? 0,
    priority: 6,
  },
  {
    title: 'LAST RECEIVER',
    width: 22,
    cell: ({ receiver }, colors) => processCell(receiver, colors),
    sortBy: ({ receiver }) => receiver?.pid ?? 0,
    priority: 6,
  },
]

function fillCell({ fill }: Row, colors: Colors): string {
  if (Number.isNaN(fill)) return '?'
  const full = Math.min(BAR, Math.round(fill * BAR))
  const color = fill >= 0.9 ? colors.red : fill >= 0.5 ? colors.yellow : colors.green
  const percent = `${Math.round(fill * 100)}%`.padStart(4)
  return `${color('█'.repeat(full))}${colors.dim('░'.repeat(BAR - full))} ${percent}`
}

const blocks = '▁▂▃▄▅▆▇█'

/** Scaled to the largest of the numbers, so that the shape shows. */
export function sparkline(numbers: readonly number[]): string {
  const known = numbers.map((number) => (Number.isNaN(number) ? 0 : number))
  const most = Math.max(1, ...known)
  return known.map((number) => blocks[Math.ceil((number / most) * (blocks.length - 1))]).join('')
}

/** What comes and goes at once is not seen in the depth, only that something did. */
function rate(seen: number, any: boolean): string {
  return seen === 0 && any ? '>0' : String(seen)
}

function blockedCell({ blocked: { senders, receivers } }: Row, colors: Colors): string {
  const parts = [
    senders > 0 ? colors.red(`${senders} out`) : '',
    receivers > 0 ? `${receivers} in` : '',
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function processCell(process: Process | null, colors: Colors): string {
  if (!process) return colors.dim('-')
  if (!process.alive) return colors.red(`${process.pid} dead`)
  return `${process.pid} ${escapeLine(process.command ?? '')}`
}
