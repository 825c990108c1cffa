/** `kmq send` */

import type { Command } from 'commander'
import { onFullPolicies } from '../overflow.js'
import { Option } from './commander.js'
import { Stopped, UsageError } from './failure.js'
import { longLines } from './framing/cutter.js'
import { framingOption, isDelimited } from './framing/framing.js'
import { note } from './notes.js'
import { openFor } from './opening.js'
import { Progress } from './progress.js'
import { Sending, type SendingOptions } from './sending.js'
import { stopOnSignals } from './stopping.js'
import { parseType } from './values.js'

interface Options extends SendingOptions {
  progress?: boolean
  quiet?: boolean
}

export function define(command: Command): Command {
  return framingOption(
    command
      .argument('<queue>', 'address of the queue')
      .argument('[data...]', 'messages; without any, standard input is sent')
      .option(
        '-t, --type <n>',
        'System V type (default: 1) or POSIX priority (default: 0)',
        parseType,
      ),
  )
    .option('-p, --pack', 'as many whole lines in a message as fit')
    .option('--eof', 'send an empty message at the end, which ends kmq recv --eof')
    .addOption(
      new Option('--on-full <what>', 'when the queue is full')
        .choices(onFullPolicies)
        .default('wait'),
    )
    .addOption(
      new Option('--long-lines <what>', 'when a line is longer than a message')
        .choices(longLines)
        .default('split'),
    )
    .option('--file <path>', 'send a file instead of standard input')
    .option('--progress', 'show how it goes on standard error, if that is a terminal')
    .action(send)
}

async function send(address: string, data: string[], options: Options): Promise<void> {
  checkUsage(data, options)
  const queue = openFor(options.onFull === 'drop-old' ? 'read-write' : 'write', address)
  using stopping = stopOnSignals()
  const word = isDelimited(options.framing) ? 'line' : 'message'
  const progress = new Progress(queue, options.progress, word)
  const sending = new Sending(queue, options, stopping.signal, progress)
  try {
    if (data.length > 0) await sending.sendArguments(data)
    else await sending.sendInput()
    if (options.eof) await sending.sendEnd()
  } catch (error) {
    throw stopping.by === undefined ? error : new Stopped(stopping.by)
  } finally {
    progress.stop()
    await queue.close()
    for (const line of sending.summary()) note(options.quiet, line)
  }
  // The interruption of a wait is no error, but what was to be done is not done.
  if (stopping.by && sending.unsent > 0) throw new Stopped(stopping.by)
}

function checkUsage(data: readonly string[], { file, pack, framing }: Options): void {
  if (file !== undefined && data.length > 0) {
    throw new UsageError('there are messages as arguments and --file: give one of them')
  }
  if (pack && !isDelimited(framing)) {
    throw new UsageError('--pack is for lines: --framing line or null')
  }
}
