/**
 * How much of the C++ the test suite runs: per file, and the lines that it does not run. By gcov, which
 * comes with gcc.
 *
 *   npm run coverage:cpp [-- program.ts …]
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildInstrumented, loadsFrom, root } from './instrument.js'
import { run, testFiles } from './run.js'

interface GcovFile {
  file: string
  lines: { line_number: number; count: number }[]
}

const folder = buildInstrumented('coverage')
const objects = join(folder, 'build', 'Release', 'obj.target', 'kernelmq', 'src', 'binding')
for (const name of readdirSync(objects)) {
  if (name.endsWith('.gcda')) rmSync(join(objects, name))
}
const programs = process.argv.slice(2)
let failed = 0
for (const file of programs.length > 0 ? programs : testFiles()) {
  if (!(await run(file, [], loadsFrom(folder))).ok) failed++
}

/** How often each line ran, of all objects together: headers are part of several. */
const counts = new Map<string, Map<number, number>>()
for (const name of readdirSync(objects).filter((name) => name.endsWith('.gcda'))) {
  const json = execFileSync('gcov', ['--json-format', '--stdout', join(objects, name)], {
    cwd: join(folder, 'build'),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  for (const { file, lines } of (JSON.parse(json) as { files: GcovFile[] }).files) {
    const short = /src\/binding\/.*$/.exec(file)?.[0]
    if (!short) continue
    const seen = counts.get(short) ?? new Map<number, number>()
    counts.set(short, seen)
    for (const { line_number, count } of lines) {
      seen.set(line_number, (seen.get(line_number) ?? 0) + count)
    }
  }
}

let allRun = 0
let all = 0
for (const [file, lines] of [...counts].sort()) {
  const missed = [...lines].filter(([, count]) => count === 0).map(([line]) => line)
  allRun += lines.size - missed.length
  all += lines.size
  const percent = ((100 * (lines.size - missed.length)) / lines.size).toFixed(1)
  console.log(
    `${percent.padStart(5)} %  ${file}  ${lines.size - missed.length} of ${lines.size} lines`,
  )
  const source = readFileSync(join(root, file), 'utf8').split('\n')
  for (const line of missed.sort((a, b) => a - b))
    console.log(`  ${line}: ${source[line - 1]?.trim()}`)
}
console.log(`${((100 * allRun) / all).toFixed(1)} %  of the C++: ${allRun} of ${all} lines`)
if (failed > 0) console.log(`${failed} program(s) failed`)
process.exitCode = failed === 0 ? 0 : 1
