/** From messages to a stream of bytes. */
import { isUtf8 } from 'node:buffer'
import type { Frame } from '../../index.js'
import { escapeBytes, escapeControls } from '../format/escape.js'
import { delimiters, type Framing, isDelimited, isMarked, MARK } from './framing.js'

/** What is written for a message, piece by piece. */
export type Writer = (frame: Frame) => Buffer[]

export function makeWriter(framing: Framing, terminal: boolean): Writer {
  if (framing === 'json') return (frame) => [Buffer.from(formatJson(frame, terminal))]
  const write = isDelimited(framing) ? lineWriter(delimiters[framing]) : writers[framing]
  return terminal && framing !== 'length' ? (frame) => write(frame).map(escapeBytes) : write
}

function lineWriter(delimiter: number): Writer {
  const end = Buffer.of(delimiter)
  return ({ data }) => {
    if (isMarked(data)) return [data.subarray(MARK.length)]
    return data.at(-1) === delimiter ? [data] : [data, end]
  }
}

const writers: Record<'length' | 'raw', Writer> = {
  raw: ({ data }) => [data],
  length: ({ data }) => {
    const header = Buffer.alloc(4)
    header.writeUInt32BE(data.length)
    return [header, data]
  },
}

function formatJson({ type, data }: Frame, terminal: boolean): string {
  const text = isUtf8(data)
    ? { type: jsonType(type), data: data.toString() }
    : { type: jsonType(type), data: data.toString('base64'), encoding: 'base64' }
  const line = JSON.stringify(text)
  // JSON escapes control characters, but not those above 0x7e.
  return `${terminal ? escapeJson(line) : line}\n`
}

/** No type is rounded: beyond 2^53 it is a string. */
function jsonType(type: number | bigint): number | string {
  const number = Number(type)
  return Number.isSafeInteger(number) ? number : String(type)
}

function escapeJson(line: string): string {
  return escapeControls(line).replace(/\\x([0-9a-f]{2})/g, '\\u00$1')
}
