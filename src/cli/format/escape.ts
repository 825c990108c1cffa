/** What is shown on a terminal is not to command it. */
import { isUtf8 } from 'node:buffer'

/** Control characters but tab and newline, as `\x1b`. */
export function escapeControls(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, escapeCharacter)
}

/** The same with tab and newline: for names and commands, which others choose. */
export function escapeLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, escapeCharacter)
}

/** Bytes for a terminal: text with control characters and whatever is not UTF-8 escaped. */
export function escapeBytes(bytes: Buffer): Buffer {
  return Buffer.from(escapeControls(isUtf8(bytes) ? bytes.toString() : replaceInvalid(bytes)))
}

/** Byte by byte, where the text is broken. */
function replaceInvalid(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at)
    text += length
      ? bytes.toString('utf8', at, at + length)
      : `\\x${(bytes[at] as number).toString(16)}`
    at += length || 1
  }
  return text
}

/** How many bytes the UTF-8 character here has; 0 where there is none. */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at] as number
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0
}

function escapeCharacter(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
