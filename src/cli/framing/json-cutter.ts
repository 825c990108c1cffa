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
    const known = encoding === undefined || encoding === 'base64'
    if (typeof data !== 'string' || !known || !isType(type)) throw this.#wrong()
    const bytes = Buffer.from(data, encoding === 'base64' ? 'base64' : 'utf8')
    yield {
      data: fit(bytes, `the data in line ${this.#line} of the input`, this.options, this.tally),
      type: typeof type === 'string' ? BigInt(type) : type,
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
  return type === undefined || typeof type === 'number' || /^\d+$/.test(String(type))
}
