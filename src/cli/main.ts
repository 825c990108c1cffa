#!/usr/bin/env node
/** `kmq`: kernel message queues from the shell. */
import { readFileSync, writeSync } from 'node:fs'

const args = process.argv.slice(2)

try {
  if (args.length === 1 && ['--help', '-h', 'help'].includes(args[0] as string)) {
    // As the build wrote it down: loading commander to lay out the same text again would take half as
    // long as all of Node's start.
    writeSync(1, readFileSync(new URL('help.txt', import.meta.url)))
  } else {
    const { buildProgram } = await import('./program.js')
    const program = await buildProgram(args)
    await program.parseAsync()
  }
} catch (error) {
  const { exitCodeOf } = await import('./failure.js')
  process.exitCode = exitCodeOf(error)
}
