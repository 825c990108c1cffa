/** A terminal's screen that is drawn line by line, and only where something has changed. */
import { isatty } from 'node:tty'
import {
  cursorHide,
  cursorShow,
  cursorTo,
  enterAlternativeScreen,
  eraseEndLine,
  exitAlternativeScreen,
} from 'ansi-escapes'

/** The terminal shows what is between them at once, if it knows how; others ignore it. */
const BEGIN_UPDATE = '\x1b[?2026h'
const END_UPDATE = '\x1b[?2026l'

export function isTerminal(): boolean {
  return isatty(0) && isatty(1)
}

export class Screen {
  readonly #out = process.stdout
  #shown: string[] = []

  get width(): number {
    return this.#out.columns
  }

  get height(): number {
    return this.#out.rows
  }

  open(resized: () => void): void {
    this.#out.write(enterAlternativeScreen + cursorHide)
    this.#out.on('resize', () => {
      this.#shown = []
      resized()
    })
  }

  close(): void {
    this.#out.removeAllListeners('resize')
    this.#out.write(cursorShow + exitAlternativeScreen)
  }

  draw(lines: readonly string[]): void {
    let text = ''
    for (let row = 0; row < this.height; row++) {
      const line = lines[row] ?? ''
      if (this.#shown[row] === line) continue
      text += cursorTo(0, row) + line + eraseEndLine
      this.#shown[row] = line
    }
    if (text !== '') this.#out.write(BEGIN_UPDATE + text + END_UPDATE)
  }
}
