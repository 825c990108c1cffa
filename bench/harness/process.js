/** A measured process as run.js sees it: its events, its end, its time limit. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Longer than any one phase takes, so that what hangs is a failure and not a halt. */
const TIMEOUT_MS = 30_000
const STDERR_KEPT = 400

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** @typedef {{ event: string } & Record<string, any>} Event */

/** One control pipe: commands out, events in. */
class Control {
  /** @type {Event[]} */
  #events = []
  #wake = () => {}
  #input
  /** @type {(error: Error) => void} */
  fail = () => {}
  /** Rejects when the process reports a failure or ends. @type {Promise<never>} */
  failed = new Promise((_, reject) => {
    this.fail = reject
  })

  /** @param {import('node:stream').Writable} input @param {import('node:stream').Readable} output */
  constructor(input, output) {
    this.#input = input
    // A process that dies while it is written to: its exit tells why, EPIPE does not.
    input.on('error', () => {})
    // It may fail when nobody waits; whoever waits next learns of it.
    this.failed.catch(() => {})
    createInterface({ input: output }).on('line', (line) => {
      const event = JSON.parse(line)
      if (event.event === 'failed') this.fail(new Error(event.reason))
      else this.#events.push(event)
      this.#wake()
    })
  }

  /** @param {number} count */
  run(count) {
    this.#input.write(`run ${count}\n`)
  }

  /** The next event, which must be that one. @param {string} name @returns {Promise<Event>} */
  async next(name) {
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    const late = new Promise((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no '${name}' within ${TIMEOUT_MS / 1000} s`)),
        TIMEOUT_MS,
      )
    })
    try {
      while (this.#events.length === 0) {
        const arrived = new Promise((resolve) => {
          this.#wake = () => resolve(undefined)
        })
        await Promise.race([arrived, this.failed, late])
      }
    } finally {
      clearTimeout(timer)
    }
    const event = /** @type {Event} */ (this.#events.shift())
    if (event.event !== name) throw new Error(`'${event.event}' came in place of '${name}'`)
    return event
  }
}

/**
 * Starts a process with a control pipe, and a second one (`hosted`) for a side
 * that it starts itself.
 *
 * @param {string[]} commandLine
 * @param {{ hosts?: boolean }} [options]
 */
export function start([command, ...args], { hosts = false } = {}) {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe', ...(hosts ? /** @type {const} */ (['pipe', 'pipe']) : [])],
  })
  running.add(child)
  const [stdin, stdout, stderr, hostedIn, hostedOut] = /** @type {any[]} */ (child.stdio)
  const control = new Control(stdin, stdout)
  const hosted = hosts ? new Control(hostedIn, hostedOut) : null

  let complaint = ''
  stderr.on('data', (/** @type {Buffer} */ text) => {
    complaint = (complaint + text).slice(-STDERR_KEPT)
  })
  /** @param {string} what */
  const ended = (what) => {
    running.delete(child)
    const error = new Error(complaint.trim() ? `${what}: ${complaint.trim()}` : what)
    control.fail(error)
    hosted?.fail(error)
  }
  child.on('error', (error) => ended(error.message))
  child.on('close', (code, signal) => ended(signal ? `ended by ${signal}` : `exit code ${code}`))

  /** @type {() => Promise<void>} */
  const kill = () =>
    new Promise((resolve) => {
      // A side hosted by the child ends when its control pipe does.
      for (const pipe of child.stdio) pipe?.destroy()
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
  return { control, hosted, kill }
}

export function killAll() {
  for (const child of running) child.kill('SIGKILL')
}
