/** `kmq completion` */
import type { Command } from 'commander'
import { Argument } from './commander.js'
import { bashScript } from './completion/bash.js'
import { fishScript } from './completion/fish.js'
import { shapeOf } from './completion/shape.js'
import { zshScript } from './completion/zsh.js'
import { print } from './output.js'
import { buildWholeProgram } from './program.js'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }
type Shell = keyof typeof scripts

export function define(command: Command): Command {
  return command
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
To have it in every shell:
  bash  kmq completion bash > ~/.local/share/bash-completion/completions/kmq
  zsh   kmq completion zsh > _kmq, in a folder of $fpath
  fish  kmq completion fish > ~/.config/fish/completions/kmq.fish`,
    )
    .action(async (shell: Shell) => {
      await print(scripts[shell](shapeOf(await buildWholeProgram())))
    })
}
