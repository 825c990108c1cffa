/** What is in a queue, to be looked at in `kmq top`. */
import { isUtf8 } from 'node:buffer'
import type { MessageQueue, SysVQueue } from '../../index.js'
import { escapeLine } from '../format/escape.js'
import { plural } from '../notes.js'

/** Its first messages, one a line, or why it cannot be looked into. */
export function peekLines(open: () => MessageQueue, address: string, most: number): string[] {
  const title = `First messages of ${escapeLine(address)}:`
  try {
    const queue = open()
    try {
      if (queue.kind === 'posix') return [`${title} a POSIX queue cannot be looked into.`]
      const lines = messageLines(queue as SysVQueue, most)
      return [title, '', ...(lines.length > 0 ? lines : ['(none)'])]
    } finally {
      void queue.close()
    }
  } catch (error) {
    return [title, '', escapeLine((error as Error).message)]
  }
}

function messageLines(queue: SysVQueue, most: number): string[] {
  const lines: string[] = []
  while (lines.length < most) {
    const frame = queue.peek(lines.length, { bigint: true })
    if (frame === null) break
    const { type, data } = frame
    const text = isUtf8(data) ? data.toString() : `0x${data.toString('hex')}`
    lines.push(`type ${type}, ${plural(data.length, 'byte')}: ${escapeLine(text)}`)
  }
  return lines
}
