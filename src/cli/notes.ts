/** What is said on standard error. */
import { writeSync } from 'node:fs'

export function say(text: string): void {
  try {
    writeSync(2, text)
  } catch {
    // A full disk, a terminal that is gone: what was done is done, and nobody can be told.
  }
}

/** What is worth a line beside errors: counts, notes. `--quiet` silences it. */
export function note(quiet: boolean | undefined, text: string): void {
  if (!quiet) say(`kmq: ${text}\n`)
}

/** `1 message`, `2 messages`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
