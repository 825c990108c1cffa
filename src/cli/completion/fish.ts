import { allCommands, type CommandShape, type OptionShape } from './shape.js'

/** For fish(1). */
export function fishScript(program: CommandShape): string {
  const names = program.commands.map(({ name }) => name)
  return `# fish completion for kmq; from: kmq completion fish

function __kmq_queues
    kmq ls --addresses --quiet 2>/dev/null
end

complete -c kmq -f
${program.commands.map(({ name, summary }) => line('__fish_use_subcommand', `-a ${name}`, summary)).join('\n')}
${line('__fish_use_subcommand', '-a help', 'show the help of a command')}
${program.options.map((option) => optionLine('__fish_use_subcommand', option)).join('\n')}
${allCommands(program)
  .flatMap(({ path, command }) => commandLines(path, command, names))
  .join('\n')}
`
}

function commandLines(path: string[], command: CommandShape, names: string[]): string[] {
  const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`)
  // What belongs to `limits` alone is not offered behind `limits plan`.
  const below = command.commands.map(({ name }) => name).join(' ')
  const alone = below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`]
  const condition = [...seen, ...alone].join('; and ')
  // A word that is also a command's name, as `set` in `limits set`, must not bring that one's options.
  const others = path.length === 1 ? names.filter((name) => name !== path[0]) : []
  const only = others.includes('limits')
    ? `${condition}; and not __fish_seen_subcommand_from limits`
    : condition
  return [
    ...command.commands.map(({ name, summary }) => line(only, `-a ${name}`, summary)),
    ...(command.takesQueue ? [`complete -c kmq -n '${only}' -a '(__kmq_queues)'`] : []),
    ...(command.words.length > 0
      ? [`complete -c kmq -n '${only}' -a '${command.words.join(' ')}'`]
      : []),
    ...command.options.map((option) => optionLine(only, option)),
  ]
}

function line(condition: string, what: string, description: string): string {
  return `complete -c kmq -n '${condition}' ${what} -d '${quote(description)}'`
}

function optionLine(
  condition: string,
  { flags, description, takesValue, choices }: OptionShape,
): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  )
  const value = takesValue ? (choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : ' -r -F') : ''
  return line(condition, `${names.join(' ')}${value}`, description)
}

function quote(text: string): string {
  return text.replace(/['\\]/g, '\\$&')
}
