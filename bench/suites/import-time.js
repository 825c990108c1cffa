/** What `import 'kernelmq'` adds to the start of a process. */
import { spawnSync } from 'node:child_process'
import { BENCH } from '../harness/paths.js'

export const SUITE = 'import time'
export const EMPTY = 'empty script'
export const IMPORT = "import 'kernelmq'"

/** A start is short and its time scatters: more rounds than elsewhere. */
const ROUNDS = { full: 31, quick: 11 }

const SCRIPTS = { [EMPTY]: '', [IMPORT]: "import 'kernelmq'" }

/** @param {import('../run.js').Form} form @returns {import('../harness/plan.js').Block[]} */
export function plan({ quick }) {
  return [
    {
      suite: SUITE,
      limits: 'default',
      size: null,
      rounds: quick ? ROUNDS.quick : ROUNDS.full,
      cases: Object.entries(SCRIPTS).map(([name, script]) => ({
        name,
        kind: null,
        measure: async () => ({ ms: startOf(script) }),
      })),
    },
  ]
}

/** @param {string} script */
function startOf(script) {
  const start = process.hrtime.bigint()
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    {
      cwd: BENCH,
      encoding: 'utf8',
    },
  )
  if (status !== 0) throw new Error(stderr.trim().slice(-400))
  return Number(process.hrtime.bigint() - start) / 1e6
}
