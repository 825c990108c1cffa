/** How messages stand in a stream of bytes, on both sides of a pipe. */
import type { Command } from 'commander'
import { Option } from '../commander.js'

/**
 * - `line`: one message a line, without its newline
 * - `null`: the same with NUL in place of newline, as `find -print0` and `xargs -0` have it
 * - `json`: lines of `{"type","data"}`, with `"encoding":"base64"` where the data is not UTF-8
 * - `length`: four bytes, big-endian, with the length of the data that follows
 * - `raw`: bytes; messages have no borders
 */
export const framings = ['line', 'null', 'json', 'length', 'raw'] as const
export type Framing = (typeof framings)[number]

export function framingOption(command: Command): Command {
  return command.addOption(
    new Option('-f, --framing <how>', 'how messages stand in the stream')
      .choices(framings)
      .default('line'),
  )
}

/** What ends a line, by framing. */
export const delimiters = { line: 0x0a, null: 0x00 } as const
export type Delimited = keyof typeof delimiters

export function isDelimited(framing: Framing): framing is Delimited {
  return framing in delimiters
}

/**
 * A message is a line without its end, and whoever reads it adds that. Some text needs more to arrive
 * byte for byte:
 *
 * - An empty line is sent as its end alone, for an empty message means the end of the stream. A message
 *   that brings its end is not given another.
 * - A part of a line that was too long, and a last line that ends a stream (`--eof`) without its end,
 *   must not be given one: they begin with this mark, DLE STX, "transparent text follows". It is taken
 *   off and the rest is written as it is. A line that begins with the mark is sent that way too.
 */
export const MARK = Buffer.from([0x10, 0x02])

export function isMarked(data: Buffer): boolean {
  return data[0] === MARK[0] && data[1] === MARK[1]
}
