import { execFile, execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { cleanEnvironment, kmq, main } from '../fixtures/kmq.js'
import { openQueue } from '../fixtures/queues.js'

const run = promisify(execFile)

/** Why a shell's completion cannot be tried; false where it can. */
function missing(shell: string): string | false {
  try {
    execFileSync(shell, ['-c', 'true'])
    return false
  } catch (error) {
    return `no ${shell} here: ${(error as Error).message}`
  }
}

/** A folder with the script and, for the names of queues, `kmq` itself. */
async function folderFor(t: Test, shell: string): Promise<{ script: string; env: object }> {
  const folder = t.testdir()
  const script = join(folder, '_kmq')
  writeFileSync(script, (await kmq(t, ['completion', shell])).text)
  writeFileSync(join(folder, 'kmq'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
    mode: 0o755,
  })
  return { script, env: { ...cleanEnvironment, PATH: `${folder}:${process.env.PATH}` } }
}

t.test('bash', { skip: missing('bash') }, async (t) => {
  const { script, env } = await folderFor(t, 'bash')
  const complete = async (...words: string[]) => {
    const program = `source '${script}'
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
      COMP_CWORD=${words.length - 1}
      _kmq
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await run('bash', ['--norc', '-c', program], {
      cwd: dirname(script),
      env: env as NodeJS.ProcessEnv,
    })
    return stdout.trim().split('\n')
  }
  t.same(await complete('kmq', 'se'), ['send', 'set'])
  t.same(await complete('kmq', 'send', '--fr'), ['--framing'])
  t.same(await complete('kmq', 'recv', '--framing', ''), ['line', 'null', 'json', 'length', 'raw'])
  t.same(await complete('kmq', 'limits', 'pl'), ['plan'])
  t.same(await complete('kmq', 'limits', 'plan', '--me'), ['--messages'])
  t.same(await complete('kmq', 'completion', 'z'), ['zsh'])
  const key = openQueue(t, 'sysv').address.slice('sysv:'.length)
  t.same(await complete('kmq', 'recv', key.slice(0, -1)), [key])
  t.same(await complete('kmq', 'bridge', key.slice(0, -1)), [key])
  // Anyone may create a queue, and name it as he likes: it is completed, not run. A stub lists it, for
  // an mqueue file system need not be mounted here.
  const folder = dirname(script)
  const stub = `#!/bin/sh\nprintf '%s\\n' '/a$(touch\${IFS}ran)' /b`
  writeFileSync(join(folder, 'kmq'), stub)
  t.same(await complete('kmq', 'recv', '/a'), ['/a\\$\\(touch\\$\\{IFS\\}ran\\)'])
  t.notOk(existsSync(join(folder, 'ran')))
})

t.test('fish', { skip: missing('fish') }, async (t) => {
  const { script, env } = await folderFor(t, 'fish')
  const complete = async (line: string) => {
    const program = `source '${script}'; complete -C '${line}'`
    const { stdout } = await run('fish', ['--no-config', '-c', program], {
      env: env as NodeJS.ProcessEnv,
    })
    return stdout
      .trim()
      .split('\n')
      .map((each) => each.split('\t')[0])
  }
  t.same((await complete('kmq se')).sort(), ['send', 'set'])
  t.same(await complete('kmq send --fr'), ['--framing'])
  t.same((await complete('kmq recv --framing ')).sort(), ['json', 'length', 'line', 'null', 'raw'])
  t.same(await complete('kmq limits pl'), ['plan'])
  const options = await complete('kmq limits set --')
  t.ok(options.includes('--quiet'))
  t.notOk(options.includes('--mode'))
  const { address } = openQueue(t, 'sysv')
  t.ok((await complete('kmq recv ')).includes(address))
})

t.test('zsh', { skip: missing('zsh') }, async (t) => {
  const { script, env } = await folderFor(t, 'zsh')
  // The completion system works in an interactive shell alone: one on a terminal of its own, by zpty.
  const program = `
    zmodload zsh/zpty
    zpty shell "zsh -f -i"
    zpty -w shell "PS1=; autoload -Uz compinit; compinit -u -d ${script}.dump; source '${script}'; echo rea''dy"
    zpty -r shell output '*ready*'
    zpty -n -w shell $'kmq recv --framing \\t\\t'
    zpty -r shell output '*length*raw*'
    print -r -- "$output"`
  const { stdout } = await run('zsh', ['-f', '-c', program], { env: env as NodeJS.ProcessEnv })
  for (const framing of ['line', 'null', 'json', 'length', 'raw']) t.match(stdout, framing)
})

t.test('no other shell', async (t) => {
  const { code, stderr } = await kmq(t, ['completion', 'tcsh'])
  t.equal(code, 2)
  t.match(stderr, 'bash, zsh, fish')
})
