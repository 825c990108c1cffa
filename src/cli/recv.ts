/** `kmq recv` */
import type { Command } from 'commander'
import { Stopped } from './failure.js'
import { framingOption, isDelimited } from './framing/framing.js'
import { note, plural } from './notes.js'
import { openForReceiving } from './opening.js'
import { Progress } from './progress.js'
import { Receiving, type ReceivingOptions } from './receiving.js'
import { stopOnSignals } from './stopping.js'
import { parsePositive, parseType } from './values.js'

interface Options extends ReceivingOptions {
  create?: boolean
  progress?: boolean
  quiet?: boolean
}

export function define(command: Command): Command {
  return framingOption(
    command
      .argument('<queue>', 'address of the queue')
      .option(
        '-t, --type <n>',
        'System V: only this type; -n: types up to n, lowest first',
        parseType,
      )
      .option('--except', 'every type but that one'),
  )
    .option('-c, --count <n>', 'exit after so many messages', parsePositive)
    .option('--drain', 'exit when the queue is empty')
    .option('--eof', 'exit at an empty message, as kmq send --eof sends it')
    .option('--ack', 'System V: a message leaves the queue once its bytes are written')
    .option('--create', 'create the queue if it is not there')
    .option('--progress', 'show how it goes on standard error, if that is a terminal')
    .action(receive)
}

async function receive(address: string, options: Options): Promise<void> {
  const queue = openForReceiving(address, options.create ? { create: true } : {})
  using stopping = stopOnSignals()
  const word = isDelimited(options.framing) ? 'line' : 'message'
  const progress = new Progress(queue, options.progress, word)
  const receiving = new Receiving(queue, options, stopping.signal, progress)
  try {
    await receiving.run()
  } catch (error) {
    // Whatever was under way when the signal came has failed by that.
    if (stopping.by === undefined && receiving.lost === 0) throw error
  } finally {
    progress.stop()
    receiving.close()
    await queue.close()
    const { returned } = receiving
    if (returned > 0) note(options.quiet, `${plural(returned, 'message')} put back`)
  }
  if (receiving.lost > 0) throw new MessagesLost(receiving.lost, queue.address)
  // Without another end to wait for, the signal is the one that was waited for.
  const { count, drain, eof } = options
  if (stopping.by && (count !== undefined || drain || eof)) throw new Stopped(stopping.by)
}

class MessagesLost extends Error {
  readonly hint = 'the queue is full or gone, or not ours to write to'

  constructor(count: number, address: string) {
    super(`${plural(count, 'message')} taken from ${address} neither written nor put back`)
  }
}
