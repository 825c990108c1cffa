/**
 * Messages a second from a kernel queue into JetStream, against the same client publishing straight,
 * with as many in flight. `npm run bench:bridge [messages] [bytes] [rounds]`; needs nats-server. Another
 * process fills the queue, as an application does.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { linkLibrary } from './harness/library.js'

linkLibrary()
const { open } = await import('kernelmq')
const { ensureStream, toJetStream } = await import('kernelmq/nats')

const [messages = 50_000, bytes = 64, rounds = 5] = process.argv.slice(2).map(Number)
const IN_FLIGHT = 256

const folder = mkdtempSync(join(tmpdir(), 'kernelmq-bench-'))
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address())
    probe.close(() => resolve(port))
  })
})
const server = spawn('nats-server', ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port)], {
  stdio: 'ignore',
})
server.once('error', (error) => {
  console.log(`skipped: ${error.message}`)
  process.exit()
})
const connection = await connect({
  servers: `127.0.0.1:${port}`,
  waitOnFirstConnect: true,
  reconnectTimeWait: 100,
})
const js = jetstream(connection)
let streams = 0

async function newStream() {
  const stream = `BENCH${++streams}`
  await ensureStream(connection, { stream })
  return stream
}

/** As many requests in flight all the time, each with an id, as an application would. */
async function direct() {
  const stream = await newStream()
  const data = Buffer.alloc(bytes, 'x')
  const began = performance.now()
  let next = 0
  const worker = async () => {
    while (next < messages) {
      const msgID = `direct-${next++}`
      await js.publish(`${stream}.1`, data, { msgID })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  return rate(began)
}

async function bridged() {
  const stream = await newStream()
  const queue = open({ private: true }, { create: true })
  const source = queue.readable({ ack: true, highWaterMark: IN_FLIGHT })
  const file = join(folder, `${stream}.ids`)
  const sink = toJetStream(js, { stream, inFlight: IN_FLIGHT, journal: { file, queue } })
  const began = performance.now()
  const fill = `
    import { open } from 'kernelmq'
    const queue = open(${JSON.stringify(queue.address)})
    const data = Buffer.alloc(${bytes}, 'x')
    for (let i = 0; i < ${messages}; i++) await queue.send(data)
  `
  // Here, where it finds the library.
  const cwd = new URL('.', import.meta.url)
  spawn(process.execPath, ['--input-type=module', '-e', fill], { cwd, stdio: 'inherit' })
  const filled = async () => {
    while (sink.stats.frames < messages && !sink.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  try {
    const done = pipeline(source, sink)
    // A bridge that fails ends the wait, too.
    await Promise.race([done, filled()])
    const result = rate(began)
    source.stop()
    await done
    return result
  } finally {
    queue.unlink()
    await queue.close()
  }
}

/** @param {number} began */
function rate(began) {
  return Math.round((messages * 1000) / (performance.now() - began))
}

try {
  const figures = []
  for (let round = 0; round < rounds; round++) {
    const [straight, bridge] = [await direct(), await bridged()]
    figures.push({ straight, bridge, ratio: bridge / straight })
    console.log(
      `straight ${straight}/s  bridge ${bridge}/s  ratio ${(bridge / straight).toFixed(2)}`,
    )
  }
  figures.sort((a, b) => a.ratio - b.ratio)
  const median = figures[figures.length >> 1]
  console.log(`median ratio ${median.ratio.toFixed(2)} (${messages} messages of ${bytes} bytes)`)
  process.exitCode = median.ratio >= 0.8 ? 0 : 1
} finally {
  await connection.close()
  server.kill()
  rmSync(folder, { recursive: true, force: true })
}
