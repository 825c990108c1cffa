/**
 * Drives the addon under valgrind, which is too slow for the whole suite, and fails if that has anything
 * to report of the addon: memory that is not its own, not initialized, or definitely lost.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { kinds, openQueue } from '../test/fixtures/queues.js'
import { Owner } from '../test/long/owner.js'
import { root } from './instrument.js'

const reports = join(root, 'build', 'valgrind')
rmSync(reports, { recursive: true, force: true })
mkdirSync(reports, { recursive: true })
const owner = new Owner()
const addresses = kinds.map((kind) => openQueue(owner, kind).address)
const { status } = spawnSync(
  'valgrind',
  [
    // V8 writes code as it goes.
    '--smc-check=all-non-file',
    '--leak-check=full',
    '--show-leak-kinds=definite',
    `--log-file=${join(reports, '%p')}`,
    process.execPath,
    join(root, 'test', 'fixtures', 'drive.mjs'),
    JSON.stringify(addresses),
  ],
  { cwd: root, stdio: 'inherit' },
)
await owner.release()

// Reports are paragraphs; V8 has some of its own.
const found = readdirSync(reports)
  .flatMap((name) => readFileSync(join(reports, name), 'utf8').split(/^==\d+== $/m))
  .filter((report) => /kernelmq\.node|src\/binding\//.test(report))
for (const report of found) console.log(report)
console.log(`valgrind: the program ended with ${status}; ${found.length} report(s) of the addon`)
process.exitCode = status === 0 && found.length === 0 ? 0 : 1
