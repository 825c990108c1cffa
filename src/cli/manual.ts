/** The manual page kmq(1), from the definitions that `--help` prints: roff with the macros of man(7). */
import type { Command } from 'commander'

export function manualPage(program: Command): string {
  return `${[
    '.\\" Made by scripts/manual.js from the same definitions as kmq --help: do not edit.',
    '.TH KMQ 1 "" kernelmq "User Commands"',
    '.SH NAME',
    'kmq \\- Linux message queues from the shell: System V and POSIX',
    '.SH SYNOPSIS',
    ...program.commands.flatMap((command) => ['.br', synopsis(command)]),
    '.SH DESCRIPTION',
    text(program.description()),
    ...paragraphs(),
    '.SH COMMANDS',
    ...program.commands.flatMap((command) => describe(command)),
    '.SH OPTIONS',
    ...options(program),
    '.SH ENVIRONMENT',
    '.TP',
    '.B NO_COLOR',
    'No colours, also on a terminal.',
    '.SH EXIT STATUS',
    ...statuses.flatMap(([status, meaning]) => ['.TP', `.B ${status}`, text(meaning)]),
    '.SH SEE ALSO',
    '.BR sysvipc (7),',
    '.BR mq_overview (7),',
    '.BR lsipc (1),',
    '.BR ipcs (1)',
  ].join('\n')}\n`
}

const statuses = [
  ['0', 'Done. Also kmq recv without --count, --drain and --eof, ended by SIGINT or SIGTERM.'],
  ['1', 'The kernel said no: one line on standard error says what, which queue, and a hint.'],
  ['2', 'Wrong usage.'],
  ['128+n', 'Ended by signal n; 141 where whoever read the output has gone.'],
] as const

const forms = [
  ['/name, posix:/name', 'POSIX, by name.'],
  ['posix:fd=3', 'POSIX, an inherited descriptor.'],
  ['0xKEY, KEY, sysv:0xKEY', 'System V, by key.'],
  ['sysv:FILE#PROJECT', 'System V, by the key that ftok(3) makes of a file and a project.'],
  ['sysv:id=N', 'System V, by identifier.'],
  ['sysv:private', 'System V, a new queue without a key.'],
] as const

function paragraphs(): string[] {
  return [
    '.PP',
    'A queue is addressed by:',
    ...forms.flatMap(([form, meaning]) => ['.TP', `.B ${text(form)}`, text(meaning)]),
  ]
}

function synopsis(command: Command): string {
  return `.B ${text(pathOf(command))} \\fR${text(command.usage())}`
}

function pathOf(command: Command): string {
  const { parent } = command
  return parent ? `${pathOf(parent)} ${command.name()}` : command.name()
}

function describe(command: Command): string[] {
  const help = command.createHelp()
  return [
    `.SS ${text(`${pathOf(command)} ${command.usage()}`)}`,
    text(sentence(command.description())),
    ...help
      .visibleArguments(command)
      .flatMap((argument) => [
        '.TP',
        `.I ${text(argument.name())}`,
        text(sentence(help.argumentDescription(argument))),
      ]),
    ...options(command),
    ...command.commands.flatMap((subcommand) => describe(subcommand)),
  ]
}

function options(command: Command): string[] {
  const help = command.createHelp()
  return help
    .visibleOptions(command)
    .flatMap((option) => [
      '.TP',
      `.B ${text(option.flags)}`,
      text(sentence(help.optionDescription(option))),
    ])
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`
}

/** A hyphen that is typed is a minus in roff, and a line must not begin with a dot. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
