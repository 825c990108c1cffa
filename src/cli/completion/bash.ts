import { allCommands, type CommandShape } from './shape.js'

/** For bash(1), without the bash-completion package. */
export function bashScript(program: CommandShape): string {
  const names = program.commands.map(({ name }) => name)
  const parents = program.commands.filter(({ commands }) => commands.length > 0)
  return `# bash completion for kmq; from: kmq completion bash

_kmq_queues() {
  # A colon would end the word: keys go without sysv:, identifiers are left out.
  kmq ls --addresses --quiet 2>/dev/null | sed -n -e 's/^sysv:0x/0x/' -e '/^[0/]/p'
}

_kmq() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command= words= queues= word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command/$word" in
      ${names.map((name) => `/${name}`).join('|')}) command=$word ;;
${parents.map(subcommandCase).join('\n')}
    esac
  done
  case "$command/$previous" in
${allCommands(program).flatMap(valueCases).join('\n')}
  esac
  case "$command" in
    '') words='${[...names, 'help', ...flagsOf(program)].join(' ')}' ;;
${allCommands(program).map(commandCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $queues ]] || return 0
  # Not by compgen -W, which would run a command that is written in a name.
  while IFS= read -r word; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$(printf %q "$word")")
  done < <(_kmq_queues)
}

complete -F _kmq kmq
`
}

function subcommandCase({ name, commands }: CommandShape): string {
  const pattern = commands.map((command) => `${name}/${command.name}`).join('|')
  return `      ${pattern}) command="$command $word" ;;`
}

interface Entry {
  path: string[]
  command: CommandShape
}

function valueCases({ path, command }: Entry): string[] {
  const name = path.join(' ')
  return command.options
    .filter(({ takesValue }) => takesValue)
    .map(({ flags, choices }) => {
      const pattern = flags.map((flag) => `'${name}/${flag}'`).join('|')
      const words = `$(compgen ${choices.length > 0 ? `-W '${choices.join(' ')}'` : '-f'} -- "$current")`
      return `    ${pattern}) COMPREPLY=(${words}); return ;;`
    })
}

function commandCase({ path, command }: Entry): string {
  const words = [...command.commands.map(({ name }) => name), ...command.words]
  const all = [...words, ...flagsOf(command)].join(' ')
  const queues = command.takesQueue ? ' queues=yes' : ''
  return `    '${path.join(' ')}') words='${all}'${queues} ;;`
}

function flagsOf({ options }: CommandShape): string[] {
  return options.flatMap(({ flags }) => flags)
}
