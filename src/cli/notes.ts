/** What is worth a line on standard error beside errors: counts, notes. `--quiet` silences it. */
import { writeSync } from 'node:fs'

export function note(quiet: boolean | undefined, text: string): void {
  if (!quiet) writeSync(2, `kmq: ${text}\n`)
}

/** `1 message`, `2 messages`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
