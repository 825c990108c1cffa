/** `kmq peek` */
import type { Command } from 'commander'
import { type Frame, QueueError, type SysVQueue } from '../index.js'
import { type Framing, framingOption } from './framing/framing.js'
import { makeWriter } from './framing/writer.js'
import { openFor } from './opening.js'
import { Output } from './output.js'
import { parsePositive } from './values.js'

interface Options {
  count?: number
  framing: Framing
}

export function define(command: Command): Command {
  return framingOption(
    command
      .argument('<queue>', 'address of the queue (System V)')
      .option('-c, --count <n>', 'so many messages at most', parsePositive),
  ).action(peek)
}

async function peek(address: string, { count, framing }: Options): Promise<void> {
  const queue = openFor('read', address)
  if (queue.kind === 'posix') {
    throw new QueueError('ENOTSUP', {
      address: queue.address,
      message: 'a POSIX queue cannot be looked into: the kernel cannot show a message and keep it',
      hint: 'kmq stat shows how many messages there are',
    })
  }
  const output = new Output()
  const write = makeWriter(framing, output.terminal)
  for (const frame of messagesOf(queue as SysVQueue, count)) {
    const { error } = await output.write(Buffer.concat(write(frame)))
    if (error) throw error
  }
  output.close()
  await queue.close()
}

function* messagesOf(queue: SysVQueue, count = Number.POSITIVE_INFINITY): Iterable<Frame> {
  for (let index = 0; index < count; index++) {
    const frame = queue.peek(index, { bigint: true })
    if (frame === null) return
    yield frame
  }
}
