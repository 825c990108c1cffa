/** What the figures were measured on: without it they mean nothing. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { readLimits } from '../harness/limits.js'
import { isPrivate } from '../harness/namespace.js'
import { BENCH } from '../harness/paths.js'

/** @param {readonly string[]} packages */
export function describeEnvironment(packages) {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    kernel: `Linux ${release()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    privateNamespace: isPrivate(),
    defaultLimits: readLimits(),
    packages: Object.fromEntries(packages.map((name) => [name, installedVersion(name)])),
  }
}

/** @typedef {ReturnType<typeof describeEnvironment>} Environment */

/** @param {Environment} environment */
export const machineLine = ({ cpu, cores, memoryGiB, kernel, node, commit, date }) =>
  `${cpu}, ${cores} cores, ${memoryGiB} GiB · ${kernel} · Node.js ${node} · commit ${commit} · ${date.slice(0, 10)}`

/** `git describe` would name tags; the abbreviated hash alone is unambiguous. */
function commit() {
  try {
    const options = {
      cwd: BENCH,
      encoding: /** @type {const} */ ('utf8'),
      stdio: /** @type {any} */ (['ignore', 'pipe', 'ignore']),
    }
    const hash = execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], options).trim()
    const changed = execFileSync('git', ['status', '--porcelain', '--', '../src'], options).trim()
    return changed ? `${hash} with changes` : hash
  } catch {
    return 'unknown' // a published package has no repository
  }
}

/** @param {string} name */
function installedVersion(name) {
  try {
    return JSON.parse(readFileSync(`${BENCH}node_modules/${name}/package.json`, 'utf8')).version
  } catch {
    return null // an optional one that did not build is not there
  }
}
