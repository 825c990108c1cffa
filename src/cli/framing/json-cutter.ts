import { type Cutter, type CutterOptions, fit, type Message, type Tally } from './cutter.js'

const NEWLINE = 0x0a

/** In JSON a byte may need as many characters: a control character as `\u0000`. */
const MOST_CHARACTERS_A_BYTE = 6
const ROOM_FOR_FIELDS = 1024

/** Lines of `{"type","data","encoding"}`, of which data alone must be there. */
export class JsonCutter implements Cutter {
  #rest: Buffer = Buffer.alloc(0)
  #line = 0

  constructor(
    readonly options: CutterOptions,
    readonly tally: Tally,
  ) {}

  *cut(chunk: Buffer): Iterable<Message> {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      yield* this.#read(bytes.subarray(at, end))
      at = end + 1
    }
    // A copy: the chunk is not ours for longer.
    this.#rest = Buffer.from(bytes.subarray(at))
    const most = this.options.longest * MOST_CHARACTERS_A_BYTE + ROOM_FOR_FIELDS
    if (this.options.longLines !== 'truncate' && this.#rest.length > most) {
      fit(this.#rest, `line ${this.#line + 1} of the input`, this.options, this.tally)
    }
  }

  *end(): Iterable<Message> {
    yield* this.#read(this.#rest)
  }

  *#read(line: Buffer): Iterable<Message> {
    this.#line++
    const text = line.toString()
    if (text.trim() === '') return
    const { type, data, encoding } = this.#parse(text)
    if (typeof data !== 'string' || !isType(type)) throw this.#wrong()
    const bytes = decode(data, encoding)
    if (!bytes) throw this.#wrong()
    const exact = typeof type === 'string' ? BigInt(type) : type
    if (exact !== undefined && !this.options.takesType(exact)) {
      throw new Error(
        `line ${this.#line} of the input has a type that the queue does not take: ${exact}`,
      )
    }
    yield {
      data: fit(bytes, `the data in line ${this.#line} of the input`, this.options, this.tally),
      type: exact,
    }
  }

  #parse(text: string): Record<string, unknown> {
    try {
      return Object(JSON.parse(text))
    } catch {
      throw this.#wrong()
    }
  }

  #wrong(): Error {
    return new Error(
      `line ${this.#line} of the input is not a message: {"type": number, "data": string}, with "encoding": "base64" for bytes`,
    )
  }
}

/** Beyond 2^53 it is written as a string, for numbers would be rounded. */
function isType(type: unknown): type is number | string | undefined {
  const digits = typeof type === 'string' && /^\d+$/.test(type)
  return type === undefined || typeof type === 'number' || digits
}

/** Undefined where it is not so encoded. */
function decode(data: string, encoding: unknown): Buffer | undefined {
  if (encoding === undefined) return Buffer.from(data)
  if (encoding !== 'base64') return undefined
  const bytes = Buffer.from(data, 'base64')
  // Node skips what is no base64.
  return unpadded(bytes.toString('base64')) === unpadded(data) ? bytes : undefined
}

function unpadded(base64: string): string {
  return base64.replace(/=+$/, '')
}
