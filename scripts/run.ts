/** Runs TypeScript programs, one after another, and counts what their tests say. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './instrument.js'

/** All test programs, by their paths from the package's folder. */
export function testFiles(): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join('test', file))
    .sort()
}

export interface Result {
  ok: boolean
  /** Assertions. */
  total: number
  passed: number
  skipped: number
}

// Tests as tap runs them, but for the type check: other loaders rewrite the functions that tests pass
// to their children.
function loader(isTest: boolean): string[] {
  return ['--import', isTest ? '@tapjs/typescript/import' : 'tsx']
}

/** `wrapper` is a command that runs the one behind it. */
export async function run(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  wrapper: readonly string[] = [],
): Promise<Result> {
  const isTest = file.endsWith('.test.ts')
  const node = [process.execPath, ...loader(isTest), file, ...args]
  const [command, ...rest] = [...wrapper, ...node]
  const child = spawn(command as string, rest, {
    cwd: root,
    env: { ...process.env, TAP_TYPECHECK: '0', TAP_TIMEOUT: '600', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (data) => {
    output += data
    if (!isTest) process.stdout.write(data)
  })
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (...ending) => resolve(ending)),
  )
  const ok = code === 0
  if (isTest && !ok) process.stdout.write(output)
  if (!ok) console.log(`${file} ended with ${signal ?? code}`)
  // Indented: assertions in a test; the last ones sum up and are not counted.
  const points = [...output.matchAll(/^ +(not )?ok \d+(?! - .* # time=)(.*)$/gm)]
  return {
    ok,
    total: points.length,
    passed: points.filter((point) => point[1] === undefined).length,
    skipped: points.filter((point) => point[2]?.includes('# SKIP')).length,
  }
}
