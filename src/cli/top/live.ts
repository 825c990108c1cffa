/** `kmq top` on a terminal: the state, the keys that change it, and the picture of it. */
import { emitKeypressEvents, type Key } from 'node:readline'
import { limits } from '../../index.js'
import { escapeLine } from '../format/escape.js'
import { openFor } from '../opening.js'
import { type Colors, columns } from './columns.js'
import { peekLines } from './peeking.js'
import type { Row, Sampler } from './sampler.js'
import type { Screen } from './screen.js'
import { cut, filterRows, type Sorting, sortRows, summaryLine, tableLines } from './view.js'

const HELP = 'q quit   s sort   r reverse   / filter   ↑ ↓ select   p peek'
const NOT_MOUNTED = 'POSIX queues are not listed: mount -t mqueue none /dev/mqueue'
/** Summary, state, titles; keys. */
const HEAD = 3
const FOOT = 1
/** In front of every row: the selected one's is an arrow. */
const MARGIN = '  '

export class LiveView {
  readonly #screen: Screen
  readonly #sampler: Sampler
  readonly #colors: Colors
  readonly #quit: () => void
  #rows: Row[] = []
  #time = new Date()
  #sorting: Sorting = { column: columns.findIndex(({ title }) => title === 'FILL'), reverse: false }
  #filter = ''
  #typing = false
  /** The address of the selected queue. */
  #selected: string | undefined
  #top = 0
  #peeked: string | undefined

  constructor(screen: Screen, sampler: Sampler, colors: Colors, quit: () => void) {
    this.#screen = screen
    this.#sampler = sampler
    this.#colors = colors
    this.#quit = quit
  }

  open(): void {
    const input = process.stdin
    emitKeypressEvents(input)
    input.setRawMode(true)
    input.on('keypress', this.#pressed)
    input.resume()
    this.#screen.open(() => this.draw())
  }

  close(): void {
    const input = process.stdin
    input.off('keypress', this.#pressed)
    input.setRawMode(false)
    input.pause()
    this.#screen.close()
  }

  /** Once an interval. */
  refresh(): void {
    this.#rows = this.#sampler.rows()
    this.#time = new Date()
    this.draw()
  }

  draw(): void {
    const { width, height } = this.#screen
    const body =
      this.#peeked === undefined ? this.#tableLines(width, height) : this.#peekLines(width, height)
    this.#screen.draw([
      this.#colors.bold(cut(summaryLine(this.#rows, this.#time), width)),
      this.#colors.dim(cut(this.#stateLine(), width)),
      ...Array.from({ length: height - 2 - FOOT }, (_, index) => body[index] ?? ''),
      this.#colors.dim(cut(this.#peeked === undefined ? HELP : 'p, Esc back   q quit', width)),
    ])
  }

  #visible(): Row[] {
    return sortRows(filterRows(this.#rows, this.#filter), this.#sorting)
  }

  #tableLines(width: number, height: number): string[] {
    const rows = this.#visible()
    const room = Math.max(1, height - HEAD - FOOT)
    const index = this.#selectedIndex(rows)
    this.#top = Math.min(Math.max(this.#top, index - room + 1), index, Math.max(0, rows.length - 1))
    const shown = rows.slice(this.#top, this.#top + room)
    const [titles = '', ...lines] = tableLines(
      shown,
      width - MARGIN.length,
      this.#sorting,
      this.#colors,
    )
    return [
      this.#colors.underline(`${MARGIN}${titles}`.padEnd(width)),
      ...lines.map((line, at) =>
        this.#top + at === index ? `${this.#colors.bold('❯')} ${line}` : `${MARGIN}${line}`,
      ),
    ]
  }

  #peekLines(width: number, height: number): string[] {
    const address = this.#peeked as string
    return peekLines(() => openFor('read', address), address, height - HEAD - FOOT).map((line) =>
      cut(line, width),
    )
  }

  #stateLine(): string {
    if (this.#typing) return `filter: ${this.#filter}_   Enter keeps it, Esc removes it`
    const filter = this.#filter === '' ? [] : [`filter: ${escapeLine(this.#filter)}`]
    const mounted = limits().posix.mount === null ? [NOT_MOUNTED] : []
    const sorted = columns[this.#sorting.column]?.title.toLowerCase()
    return [`sorted by ${sorted}`, ...filter, ...mounted].join('   ')
  }

  /** The first one where the selected queue is not there. */
  #selectedIndex(rows: readonly Row[]): number {
    return Math.max(
      0,
      rows.findIndex(({ address }) => address === this.#selected),
    )
  }

  readonly #pressed = (text: string | undefined, key: Key): void => {
    if (key.ctrl && key.name === 'c') this.#quit()
    else if (this.#typing) this.#type(text, key)
    else this.#command(key.sequence ?? '', key.name ?? '')
    this.draw()
  }

  #type(text: string | undefined, { name }: Key): void {
    if (name === 'escape') this.#filter = ''
    if (name === 'escape' || name === 'return') this.#typing = false
    else if (name === 'backspace') this.#filter = this.#filter.slice(0, -1)
    else if (text && !/[\x00-\x1f\x7f]/.test(text)) this.#filter += text
  }

  #command(sequence: string, name: string): void {
    const page = Math.max(1, this.#screen.height - HEAD - FOOT)
    if (sequence === 'q') this.#quit()
    else if (name === 'escape') this.#peeked = undefined
    else if (sequence === 'p' || name === 'return') this.#togglePeek()
    else if (sequence === 's') this.#sortByNext()
    else if (sequence === 'r') this.#sorting.reverse = !this.#sorting.reverse
    else if (sequence === '/') this.#typing = true
    else if (name === 'up' || sequence === 'k') this.#move(-1)
    else if (name === 'down' || sequence === 'j') this.#move(1)
    else if (name === 'pageup') this.#move(-page)
    else if (name === 'pagedown') this.#move(page)
    else if (name === 'home') this.#move(Number.NEGATIVE_INFINITY)
    else if (name === 'end') this.#move(Number.POSITIVE_INFINITY)
  }

  #move(by: number): void {
    const rows = this.#visible()
    const index = Math.min(rows.length - 1, Math.max(0, this.#selectedIndex(rows) + by))
    this.#selected = rows[index]?.address
  }

  #sortByNext(): void {
    let { column } = this.#sorting
    do {
      column = (column + 1) % columns.length
    } while (!columns[column]?.sortBy)
    this.#sorting = { column, reverse: false }
  }

  #togglePeek(): void {
    const rows = this.#visible()
    const address = rows[this.#selectedIndex(rows)]?.address
    this.#peeked = this.#peeked === undefined ? address : undefined
  }
}
