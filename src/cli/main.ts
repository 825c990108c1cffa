#!/usr/bin/env node
/** `kmq`: kernel message queues from the shell. */
import { exitCodeOf } from './failure.js'
import { buildProgram } from './program.js'

try {
  const program = await buildProgram(process.argv.slice(2))
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
