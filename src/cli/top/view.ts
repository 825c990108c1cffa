/** The picture of `kmq top`, as lines; no terminal is touched here. */
import { escapeLine } from '../format/escape.js'
import { formatBytes } from '../format/queue.js'
import { formatTable } from '../format/table.js'
import { plural } from '../notes.js'
import { type Colors, columns, type TopColumn } from './columns.js'
import type { Row } from './sampler.js'

export interface Sorting {
  /** An index of `columns`. */
  column: number
  reverse: boolean
}

const GAP = 2
const LEAST_FOR_ADDRESS = 24

export function sortRows(rows: readonly Row[], { column, reverse }: Sorting): Row[] {
  const sortBy = columns[column]?.sortBy
  if (!sortBy) return [...rows]
  const sign = reverse ? -1 : 1
  return rows.toSorted((a, b) => {
    const [x, y] = [sortBy(a), sortBy(b)]
    const order = typeof x === 'string' ? (x < String(y) ? -1 : 1) : compare(Number(y), x)
    return sign * order || (a.address < b.address ? -1 : 1)
  })
}

/** What may not be read comes last. */
function compare(a: number, b: number): number {
  return (Number.isNaN(a) ? -1 : a) - (Number.isNaN(b) ? -1 : b)
}

export function filterRows(rows: readonly Row[], text: string): Row[] {
  const wanted = text.toLowerCase()
  return rows.filter(({ address, sender, receiver }) =>
    [address, sender?.command, receiver?.command].some((each) =>
      each?.toLowerCase().includes(wanted),
    ),
  )
}

/** The columns for a width: where it is narrow, the least important go. */
export function columnsFor(width: number): TopColumn[] {
  let chosen = [...columns]
  for (let least = 6; least > 0 && widthOf(chosen) > width; least--) {
    chosen = chosen.filter(({ priority }) => priority < least)
  }
  return chosen
}

function widthOf(chosen: readonly TopColumn[]): number {
  return chosen.reduce((sum, { width }) => sum + (width || LEAST_FOR_ADDRESS) + GAP, -GAP)
}

/** Titles and rows, in so many columns of the terminal. */
export function tableLines(
  rows: readonly Row[],
  width: number,
  sorting: Sorting | undefined,
  colors: Colors,
): string[] {
  const chosen = columnsFor(width)
  const rest = width - widthOf(chosen) + LEAST_FOR_ADDRESS
  const sorted = sorting && columns[sorting.column]
  const titles = chosen.map((column) => ({
    title: column === sorted ? `${column.title}${sorting?.reverse ? '▲' : '▼'}` : column.title,
    width: column.width || rest,
    ...(column.align && { align: column.align }),
  }))
  const cells = rows.map((row) => chosen.map(({ cell }) => cell(row, colors)))
  return formatTable(titles, cells).split('\n').slice(0, -1)
}

/** The whole system in a line. */
export function summaryLine(rows: readonly Row[], time: Date): string {
  const sum = (number: (row: Row) => number) =>
    rows.reduce((total, row) => total + (number(row) || 0), 0)
  const posix = rows.filter(({ kind }) => kind === 'posix').length
  return [
    `kmq top  ${time.toTimeString().slice(0, 8)}`,
    `${plural(rows.length, 'queue')} (${posix} POSIX, ${rows.length - posix} System V)`,
    `${plural(
      sum((row) => row.messages),
      'message',
    )}, ${formatBytes(sum((row) => row.bytes))}`,
    `in ≥ ${sum((row) => row.inPerSecond)}/s`,
    `out ≥ ${sum((row) => row.outPerSecond)}/s`,
  ].join('   ')
}

/** A line of text cut to the terminal's width. */
export function cut(text: string, width: number): string {
  const characters = [...escapeLine(text)]
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : text
}
