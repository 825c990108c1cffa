/** The contents page of the command line: every command, in the order in which the help lists them. */
import { writeSync } from 'node:fs'
import type * as commander from 'commander'
import { require } from '../package.js'
import { Command } from './commander.js'
import { say } from './notes.js'

/** What a command's file exports: it adds the command's arguments, options and action. */
interface CommandFile {
  define(command: commander.Command): commander.Command
}

/** A command's file is loaded when the command is called: `kmq --help` needs none of them. */
const commands: Record<string, [summary: string, load: () => Promise<CommandFile>]> = {
  create: ['create a queue and print its address', () => import('./create.js')],
  send: ['send messages: arguments, or standard input', () => import('./send.js')],
  recv: ['write messages to standard output until interrupted', () => import('./recv.js')],
  peek: ['show messages and leave them in the queue', () => import('./peek.js')],
  ls: ['list every queue', () => import('./ls.js')],
  stat: ['show all that the system says of queues', () => import('./stat.js')],
  rm: ['remove queues', () => import('./rm.js')],
  clear: ['discard what is queued', () => import('./clear.js')],
  set: ['change permissions, owner or capacity', () => import('./set.js')],
  limits: ['show, set or plan what the system allows', () => import('./limits.js')],
  top: ['watch every queue, live', () => import('./top.js')],
  demo: ['two processes, a real log, both kinds of queue', () => import('./demo.js')],
  bridge: ['join a queue and a NATS JetStream stream', () => import('./bridge.js')],
  completion: ['print the completion script of a shell', () => import('./completion.js')],
}

const addresses = `
A queue is addressed by
  /name, posix:/name, posix:fd=3               POSIX, by name or inherited descriptor
  0xKEY, KEY, sysv:0xKEY                       System V, by key
  sysv:FILE#PROJECT, sysv:id=N, sysv:private   System V, by ftok(3), by identifier, a new one

Exit status: 0 done, 1 the kernel said no, 2 wrong usage, 128+n ended by signal n.`

export async function buildProgram(args: readonly string[]): Promise<commander.Command> {
  const program = new Command('kmq')
    .description('Linux message queues from the shell: System V and POSIX.')
    .version(version())
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', addresses)
    // An option belongs to the command that it follows.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      // Written at once, so that nothing is left to write when the process ends.
      writeOut: (text) => void writeSync(1, text),
      writeErr: say,
      outputError: (text, write) => write(`kmq: ${text.trim().replace(/\s+/g, ' ')}\n`),
    })
  const called = args.find((arg) => Object.hasOwn(commands, arg))
  // What ps(1), and kmq top, show.
  if (called) process.title = `kmq ${called}`
  for (const [name, [summary, load]] of Object.entries(commands)) {
    const command = program.command(name).description(summary)
    if (name === called) addQuiet((await load()).define(command))
  }
  return program
}

/** What `kmq --help` prints. The build writes it down, so that it need not be laid out each time. */
export async function helpText(): Promise<string> {
  const program = await buildProgram([])
  let text = ''
  program.configureOutput({
    writeOut: (piece) => {
      text += piece
    },
    getOutHelpWidth: () => 80,
  })
  program.outputHelp()
  return text
}

/** The program with all commands loaded: for the manual page and the completion scripts. */
export async function buildWholeProgram(): Promise<commander.Command> {
  const program = await buildProgram([])
  for (const command of program.commands) {
    const entry = commands[command.name()]
    if (entry) addQuiet((await entry[1]()).define(command))
  }
  return program
}

function addQuiet(command: commander.Command): void {
  command.option('-q, --quiet', 'print no counts and notes on standard error')
  for (const subcommand of command.commands) addQuiet(subcommand)
}

function version(): string {
  return require('kernelmq/package.json').version
}
