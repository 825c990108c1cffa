/** The text that the demo sends: a real log, as lines. */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Transform, type TransformCallback } from 'node:stream'

/** So that a log of gigabytes does not take all day. */
const LONGEST = 64 * 1024 * 1024

const logs = [
  '/var/log/dpkg.log',
  '/var/log/syslog',
  '/var/log/messages',
  '/var/log/pacman.log',
  '/var/log/dnf.log',
  '/var/log/kern.log',
  '/var/log/alternatives.log',
]

export interface Log {
  file: string
  /** What is to be said of it before it is used. */
  remark?: string
}

/** A log of this system's, or where there is none another real text, which is then said. */
export function findLog(): Log {
  const log = logs.find(hasText)
  if (log) return { file: log }
  const other = [...npmLogs(), ...nodeTexts()].find(hasText)
  if (!other) throw new Error('there is no log to send on this system: name a file')
  const remark = `This system keeps none of the logs that the demo knows (${logs.join(', ')}), so it sends another text of it.`
  return { file: other, remark }
}

function npmLogs(): string[] {
  const folder = join(homedir(), '.npm', '_logs')
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith('.log'))
    return files.sort().map((name) => join(folder, name))
  } catch {
    // npm has written none.
    return []
  }
}

/** What comes with Node.js itself, whichever way it was installed. */
function nodeTexts(): string[] {
  const prefix = dirname(dirname(process.execPath))
  const folders = [prefix, join(prefix, 'share/doc/node'), join(prefix, 'share/doc/nodejs')]
  const texts = ['CHANGELOG.md', 'README.md', 'LICENSE', 'copyright']
  const npm = join(prefix, 'lib/node_modules/npm/LICENSE')
  return [...folders.flatMap((folder) => texts.map((text) => join(folder, text))), npm]
}

function hasText(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() === true && stat.size > 0
}

const NEWLINE = 10

/** The bytes of a file, several times over, each time with a newline at the end. */
export async function* bytesOf(file: string, rounds = 1): AsyncGenerator<Buffer> {
  for (let round = 0; round < rounds; round++) {
    let last: number | undefined
    for await (const chunk of createReadStream(file, { end: LONGEST - 1 })) {
      last = (chunk as Buffer).at(-1)
      yield chunk
    }
    if (last !== undefined && last !== NEWLINE) yield Buffer.from('\n')
  }
}

/**
 * Bytes to lines, each with its newline, so that none is empty: an empty message ends the stream. A
 * line longer than a message comes in pieces.
 */
export class Lines extends Transform {
  readonly #longest: number
  #rest: Buffer = Buffer.alloc(0)

  constructor(longest: number) {
    super({ readableObjectMode: true })
    this.#longest = longest
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
    const text = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let start = 0
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
      for (; end + 1 - start > this.#longest; start += this.#longest) {
        this.push(text.subarray(start, start + this.#longest))
      }
      this.push(text.subarray(start, end + 1))
      start = end + 1
    }
    this.#rest = text.subarray(start)
    callback()
  }
}
