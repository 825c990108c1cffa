/** Each example in the README and in docs/ runs, and prints what it says. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { noNamespace, ownNamespace } from './fixtures/child.js'
import {
  type Block,
  type Example,
  expectedLines,
  readExamples,
  readSessions,
} from './fixtures/examples.js'

const root = new URL('..', import.meta.url)
const files = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...(existsSync(new URL('docs', root)) ? readdirSync(new URL('docs', root)) : [])
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const examples = files.flatMap((file) => readExamples(root.href, file))

// Within the project, so that the examples find the package by its name, as its users do.
const folder = t.testdir({ bin: {} })
const kmq = fileURLToPath(new URL('dist/cli/main.js', root))
writeFileSync(join(folder, 'bin/kmq'), `#!/bin/sh\nexec '${process.execPath}' '${kmq}' "$@"\n`)
chmodSync(join(folder, 'bin/kmq'), 0o755)

const runnable = examples.filter(({ notRun }) => notRun === undefined)
for (const example of runnable) for (const block of example.blocks) writeBlock(example, block)

function baseName({ name }: Example, { line }: Block): string {
  return `${name.replace(/:\d+$/, '').replaceAll(/\W/g, '-')}-${line}`
}

function writeBlock(example: Example, block: Block): void {
  const extension = { ts: 'ts', js: 'mjs', c: 'c', python: 'py', php: 'php', sh: 'sh' }
  writeFileSync(
    join(folder, `${baseName(example, block)}.${extension[block.language]}`),
    block.text,
  )
}

/** Checks the TypeScript examples, and compiles them; what is wrong with them. */
function compile(): string {
  const { config } = ts.readConfigFile(fileURLToPath(new URL('tsconfig.json', root)), (path) =>
    ts.sys.readFile(path),
  )
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, folder)
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  const program = ts.createProgram(
    sources.map((name) => join(folder, name)),
    {
      ...options,
      noEmit: false,
      rootDir: folder,
      outDir: folder,
      // Examples show what can be had, not only what they use.
      noUnusedLocals: false,
      typeRoots: [fileURLToPath(new URL('node_modules/@types', root))],
    },
  )
  const diagnostics = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics]
  return ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (name: string) => name,
    getCurrentDirectory: () => folder,
    getNewLine: () => '\n',
  })
}

const mistakes = compile()
t.test('the TypeScript examples pass the type check', async (t) => {
  t.equal(mistakes, '')
})

/** Queues of their own for the examples, gone with them; and limits that may be written. */
const namespace = [
  ['unshare', '--ipc'],
  ['unshare', '--user', '--map-root-user', '--ipc'],
].find(([command, ...options]) => works(command as string, [...options, 'true']))
// Examples use the same names, so they run side by side only where each has a namespace of its own.
if (namespace) t.jobs = 4
else t.comment('no IPC namespace may be made here: the examples use the system’s queues')

function works(command: string, options: string[]): boolean {
  try {
    execFileSync(command, options, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Why a block cannot be run on this machine. */
function lacking({ language, text }: Block): string | false {
  if (language === 'c' && !works('gcc', ['--version'])) return 'there is no gcc'
  if (language === 'python' && !works('python3', ['--version'])) return 'there is no python3'
  if (language === 'php' && !works('php', ['-r', "exit(function_exists('msg_send') ? 0 : 1);"])) {
    return 'there is no php with sysvmsg'
  }
  if (/\bkmq\b/.test(text) && language === 'sh' && !existsSync(kmq)) return 'there is no kmq'
  return false
}

function commandFor(example: Example, block: Block): string {
  const path = join(folder, baseName(example, block))
  switch (block.language) {
    case 'ts':
      return `'${process.execPath}' '${path}.js'`
    case 'js':
      return `'${process.execPath}' '${path}.mjs'`
    case 'c':
      execFileSync('gcc', ['-Wall', '-Wextra', '-Werror', '-o', path, `${path}.c`, '-lrt'])
      return `'${path}'`
    case 'python':
      return `python3 '${path}.py'`
    case 'php':
      return `php '${path}.php'`
    case 'sh':
      return `bash -euo pipefail '${path}.sh'`
  }
}

/** Runs the commands at the same time; their output, and the first exit code that is not 0. */
async function run(commands: string[]): Promise<{ code: number | null; output: string }> {
  const script = `
    pids=
    ${commands.map((command) => `${command} & pids="$pids $!"`).join('\n')}
    status=0
    for pid in $pids; do wait $pid || status=$?; done
    exit $status`
  return runIn(namespace ?? [], script)
}

async function runIn(
  wrapper: readonly string[],
  script: string,
  shell = 'sh',
): Promise<{ code: number | null; output: string }> {
  const [command = shell, ...options] = [...wrapper, shell, '-c', script]
  mkdirSync(join(folder, 'work'), { recursive: true })
  const child = spawn(command, options, {
    cwd: join(folder, 'work'),
    env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.on('data', (data) => {
    output += data
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve)
    child.on('error', reject)
  })
  return { code, output }
}

for (const example of examples) {
  const skip = example.notRun ?? example.blocks.map(lacking).find((reason) => reason) ?? false
  t.test(`the example at ${example.name} runs`, { skip }, async (t) => {
    const { code, output } = await run(example.blocks.map((block) => commandFor(example, block)))
    t.equal(code, 0, output)
    let at = 0
    for (const expected of example.blocks.flatMap(expectedLines)) {
      const place = output.indexOf(expected, at)
      t.ok(place >= 0, `it prints ${expected}`, { output })
      at = Math.max(at, place)
    }
  })
}

/** Process identifiers and other long numbers are others each time, and so the columns' widths. */
function comparable(text: string): string {
  return text.replaceAll(/\d{3,}/g, 'N').replaceAll(/ +/g, ' ')
}

for (const { name, text } of files.flatMap((file) => readSessions(root.href, file))) {
  t.test(`the session at ${name} goes like that`, { skip: noNamespace }, async (t) => {
    const commands = [...text.matchAll(/^\$ (.+)$/gm)].map(([, command]) => command as string)
    t.ok(commands.length > 1)
    const script = [
      'exec 2>&1',
      'mkdir -p mqueue && mount -t mqueue none mqueue',
      ...commands.flatMap((command) => [`printf '%s\\n' ${quote(`$ ${command}`)}`, command]),
      'wait',
    ].join('\n')
    const { output } = await runIn(ownNamespace, script, 'bash')
    t.equal(comparable(output), comparable(text))
  })
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
