/**
 * Runs the benchmark again inside an IPC namespace of its own: its queues then
 * meet no others, end with it however it ends, and its limits can be raised
 * without touching the system's.
 */
import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'

const MARK = 'KERNELMQ_BENCH_NAMESPACE'

const ways = [['--ipc'], ['--user', '--map-root-user', '--ipc']]

export const isPrivate = () => process.env[MARK] === 'private'

/** True once this process need not, or cannot, move to a namespace. */
export const isSettled = () => process.env[MARK] !== undefined

/**
 * Starts this program again with the same arguments; resolves with its exit code.
 *
 * @returns {Promise<number>}
 */
export function runInNamespace() {
  const way = ways.find((flags) => spawnSync('unshare', [...flags, 'true']).status === 0)
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const [command, ...args] = way ? ['unshare', ...way, '--', ...program] : program
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: way ? 'private' : 'shared' },
  })
  // Ctrl-C reaches the child by itself, this process only has to outlive it.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)),
    )
  })
}
