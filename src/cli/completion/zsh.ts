import { allCommands, type CommandShape, type OptionShape } from './shape.js'

/** For zsh(1), with its own completion system. */
export function zshScript(program: CommandShape): string {
  const functions = allCommands(program).map(({ path, command }) => commandFunction(path, command))
  return `#compdef kmq
# zsh completion for kmq; from: kmq completion zsh

_kmq_queues() {
  local -a queues
  queues=("\${(@f)$(kmq ls --addresses --quiet 2>/dev/null)}")
  compadd -a queues
}

${functions.join('\n')}
${commandFunction([], program)}
compdef _kmq kmq
`
}

function commandFunction(path: string[], command: CommandShape): string {
  const name = ['_kmq', ...path].join('_')
  const specs = command.options.map((option) => `    ${optionSpec(option)}`)
  if (command.commands.length > 0) {
    const describe = command.commands.map(
      ({ name: word, summary }) => `    ${quote(`${word}:${escapeColon(summary)}`)}`,
    )
    return `${name}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
${describe.join('\n')}
  )
  _arguments -C \\
${specs.map((spec) => `${spec} \\`).join('\n')}
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest) (( $+functions[${name}_$line[1]] )) && ${name}_$line[1] ;;
  esac
}
`
  }
  const rest = command.takesQueue
    ? [`    '*:queue:_kmq_queues'`]
    : command.words.length > 0
      ? [`    '1:word:(${command.words.join(' ')})'`]
      : []
  return `${name}() {
  _arguments \\
${[...specs, ...rest].join(' \\\n')}
}
`
}

function optionSpec({ flags, description, takesValue, choices }: OptionShape): string {
  const text = `[${description.replace(/[[\]:\\]/g, '\\$&')}]`
  const value = takesValue
    ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}`
    : ''
  const names =
    flags.length > 1 ? `'(${flags.join(' ')})'{${flags.join(',')}}` : (flags[0] as string)
  return `${names}${quote(`${text}${value}`)}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function escapeColon(text: string): string {
  return text.replaceAll(':', '\\:')
}
