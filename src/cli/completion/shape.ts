/** The command line as completion scripts need it. */
import type { Command } from 'commander'

export interface OptionShape {
  /** `--framing`, and `-f` where there is one. */
  flags: string[]
  description: string
  takesValue: boolean
  choices: readonly string[]
}

export interface CommandShape {
  name: string
  summary: string
  options: OptionShape[]
  /** Whether its arguments are queues, or which words they are. */
  takesQueue: boolean
  words: readonly string[]
  commands: CommandShape[]
}

/** What arguments that are queues are called. */
const queueArguments = ['queue', 'from', 'to']

export function shapeOf(command: Command): CommandShape {
  const help = command.createHelp()
  const [argument] = command.registeredArguments
  return {
    name: command.name(),
    summary: command.description(),
    options: help.visibleOptions(command).map((option) => ({
      flags: [option.long, option.short].filter((flag) => flag != null),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
    takesQueue: queueArguments.includes(argument?.name() ?? ''),
    words: argument?.argChoices ?? [],
    commands: command.commands.map(shapeOf),
  }
}

/** Every command below, with its path: `limits`, `limits plan`. */
export function allCommands(
  { commands }: CommandShape,
  path: string[] = [],
): { path: string[]; command: CommandShape }[] {
  return commands.flatMap((command) => {
    const here = [...path, command.name]
    return [{ path: here, command }, ...allCommands(command, here)]
  })
}
