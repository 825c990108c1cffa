/**
 * Runs the test suite, or the programs given, with the addon built for a sanitizer of the compiler, and
 * fails if that has anything to report of the addon.
 *
 *   tsx scripts/sanitize.ts address|thread [program.ts …] [-- arguments]
 *
 * Node itself is not instrumented, so the sanitizer's library is loaded before it; its reports go to
 * files, and those count in which the addon is on the stack. The thread sanitizer leaves out the tests
 * that start other people's programs (shells, tmux, bundlers, interpreters), which do not bear it.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildInstrumented, type Instrument, loadsFrom } from './instrument.js'
import { run, testFiles } from './run.js'

const sanitizers: Partial<
  Record<
    Instrument,
    {
      library: string
      env: (reports: string) => NodeJS.ProcessEnv
      wrapper: string[]
      leavesOut?: RegExp
    }
  >
> = {
  address: {
    library: 'libasan.so',
    // A leak is found at exit, in node's own memory too: it must not change the exit code. Anything
    // else aborts. Freed memory is kept for a while, but tests of memory that is to stay constant must
    // not see that.
    env: (reports) => ({
      ASAN_OPTIONS: `log_path=${reports}:abort_on_error=1:exitcode=0:detect_leaks=1:quarantine_size_mb=8`,
    }),
    wrapper: [],
  },
  thread: {
    library: 'libtsan.so',
    env: (reports) => ({
      TSAN_OPTIONS: `log_path=${reports}:exitcode=0:ignore_noninstrumented_modules=1`,
    }),
    // It cannot lay out its memory where addresses are too random.
    wrapper: ['setarch', '-R'],
    leavesOut: /^test\/(cli|nats|examples)\/|^test\/(docs|environments)\./,
  },
}

const args = process.argv.slice(2)
const [instrument, ...programs] = args.slice(
  0,
  args.includes('--') ? args.indexOf('--') : undefined,
)
const programArgs = args.includes('--') ? args.slice(args.indexOf('--') + 1) : []
const sanitizer = sanitizers[instrument as Instrument]
if (!sanitizer) throw new Error(`which sanitizer: ${Object.keys(sanitizers).join(' or ')}?`)

const folder = buildInstrumented(instrument as Instrument)
const reports = join(folder, 'reports')
rmSync(reports, { recursive: true, force: true })
mkdirSync(reports)
const env = {
  ...loadsFrom(folder),
  ...sanitizer.env(join(reports, 'report')),
  LD_PRELOAD: execFileSync('gcc', [`-print-file-name=${sanitizer.library}`], {
    encoding: 'utf8',
  }).trim(),
}

const files =
  programs.length > 0 ? programs : testFiles().filter((file) => !sanitizer.leavesOut?.test(file))
let total = 0
let passed = 0
let skipped = 0
let failed = 0
const waiting = [...files]
async function runNext(): Promise<void> {
  const file = waiting.shift()
  if (file === undefined) return
  const result = await run(file, programArgs, env, sanitizer?.wrapper)
  total += result.total
  passed += result.passed
  skipped += result.skipped
  if (!result.ok) failed++
  if (result.total > 0) console.log(`${file}: ${result.passed} of ${result.total}`)
  await runNext()
}
// As many at a time as tap runs.
await Promise.all([runNext(), runNext()])

// A report of leaks has a paragraph for each. V8 keeps some memory of its own until the process has
// ended, and allocates it also while the addon calls it: what counts is who allocated.
const found = readdirSync(reports)
  .flatMap((name) => readFileSync(join(reports, name), 'utf8').split(/\n\n(?=D|I)(?=.*leak of)/))
  .filter((report) => /src\/binding\/|node-addon-api|kernelmq\.node/.test(report))
  .filter((report) => !/leak of.*\n.*\n +#1 \S+ in (\S+ )*v8::/.test(report))
for (const report of found) console.log(report)
console.log(
  `${instrument} sanitizer: ${files.length} programs, ${failed} failed; ` +
    `${total} tests, ${passed} passed, ${skipped} skipped; ${found.length} report(s) of the addon`,
)
process.exitCode = failed === 0 && found.length === 0 ? 0 : 1
