/**
 * The line protocol between run.js and the processes it measures, seen from
 * such a process. c/bench.h speaks the same one.
 *
 *   in:  `run COUNT`           do COUNT messages
 *   out: `{"event":"ready"}`   set up; `armed`: counting; `done`: with figures;
 *        `failed`: with a reason
 */
import { readFileSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** Ends at once: `process.exit` would wait for pool threads that some peers leave blocked in a system call. */
const endProcess = () => process.kill(process.pid, 'SIGKILL')

/**
 * @param {{ input: number, output: number }} fds
 */
export function openControl({ input, output }) {
  /** @param {string} event @param {object} [fields] */
  const emit = (event, fields) => {
    writeSync(output, `${JSON.stringify({ event, ...fields })}\n`)
  }
  /** The count of each `run` line. A closed pipe means that run.js is gone or has done with us. */
  async function* runs() {
    for await (const line of createInterface({ input: new Socket({ fd: input }) })) {
      yield Number(line.slice('run '.length))
    }
    endProcess()
  }
  process.on('uncaughtException', (error) => {
    emit('failed', { reason: String(error.message) })
    endProcess()
  })
  return { emit, runs }
}

/** Starts the clock; the function returned stops it and gives the figures of a `done` event. */
export function startPhase() {
  const startCpu = process.cpuUsage()
  const startNs = Number(process.hrtime.bigint())
  return () => {
    const endNs = Number(process.hrtime.bigint())
    const cpu = process.cpuUsage(startCpu)
    return { startNs, endNs, cpuUs: cpu.user + cpu.system, peakRssKiB: peakRssKiB() }
  }
}

/** VmHWM, for the reason given in c/bench.h. */
function peakRssKiB() {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1])
}
