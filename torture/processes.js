/** The processes of one scenario, their records, and the queue between them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { open } from 'kernelmq'
import { settle } from './ledger.js'
import { LONGEST } from './message.js'

const KILL_AFTER_MS = [20, 50]

export class Stage {
  #folder = mkdtempSync(join(tmpdir(), 'kernelmq-torture-'))
  #queue
  #children = new Set()
  #confirmed = []
  #received = []
  #nextProducer = 0
  kills = 0
  #awaited = {}

  constructor(kind) {
    this.#queue =
      kind === 'sysv'
        ? open({ private: true }, { create: true })
        : open(`/kernelmq-torture-${process.pid}`, {
            create: true,
            exclusive: true,
            maxMessageSize: LONGEST,
          })
    this.address = kind === 'sysv' ? `sysv:id=${this.#queue.id}` : this.#queue.address
  }

  consumer(options = {}) {
    return this.#start('consumer.js', { file: this.#recordOf(this.#received), ...options })
  }

  producer(options = {}) {
    const producer = this.#nextProducer++
    return this.#start('producer.js', {
      file: this.#recordOf(this.#confirmed),
      producer,
      ...options,
    })
  }

  stoppingConsumer(cycles) {
    return this.#start('stopping-consumer.js', { file: this.#recordOf(this.#received), cycles })
  }

  stoppingProducer(cycles) {
    const first = this.#nextProducer
    this.#nextProducer += cycles
    return this.#start('stopping-producer.js', {
      file: this.#recordOf(this.#confirmed),
      first,
      cycles,
    })
  }

  #recordOf(list) {
    const file = join(
      this.#folder,
      `${list === this.#received ? 'received' : 'confirmed'}-${list.length}`,
    )
    list.push(file)
    return file
  }

  #start(script, options) {
    const path = fileURLToPath(new URL(script, import.meta.url))
    const child = spawn(
      process.execPath,
      [path, JSON.stringify({ address: this.address, ...options })],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    this.#children.add(child)
    const worker = new Worker(child)
    worker.ended.then(() => this.#children.delete(child))
    return worker
  }

  /**
   * Starts a worker and kills it 20 to 50 ms after it has begun, again and again, until `over`; the
   * last one stops cleanly.
   */
  async killing(start, over) {
    let going = true
    over.then(() => {
      going = false
    })
    while (going) {
      const worker = start()
      await Promise.race([worker.begun, worker.ended, over])
      if (!going) return worker.stop()
      const [from, to] = KILL_AFTER_MS
      await delay(from + Math.random() * (to - from))
      worker.child.kill('SIGKILL')
      if ((await worker.ended).signal !== 'SIGKILL') continue
      this.kills++
      if (this.kills === this.#awaited.kills) this.#awaited.resolve()
    }
  }

  /** Until so many have been killed. */
  killed(kills) {
    return new Promise((resolve) => {
      this.#awaited = { kills, resolve }
    })
  }

  /** Until nothing is queued. */
  async drained() {
    while (this.#queue.stats().messages > 0) await delay(5)
  }

  settle() {
    return settle(this.#confirmed, this.#received)
  }

  /** Ends whatever is left, and removes the queue. Synchronous, to be done at exit too. */
  clear() {
    for (const child of this.#children) child.kill('SIGKILL')
    this.#queue.unlink()
    rmSync(this.#folder, { recursive: true })
  }
}

class Worker {
  constructor(child) {
    this.child = child
    const lines = createInterface({ input: child.stdout })
    const output = []
    // Each says first that it is ready for signals, and then that it has begun to work.
    this.ready = new Promise((resolve) => lines.once('line', resolve))
    this.begun = new Promise((resolve) => {
      lines.on('line', (line) => {
        output.push(line)
        if (output.length === 2) resolve()
      })
    })
    this.ended = once(child, 'close').then(([code, signal]) => ({
      code,
      signal,
      output: output.join('\n'),
    }))
  }

  /** Asks it to stop by SIGTERM; resolves when it has. */
  async stop() {
    await this.ready
    this.child.kill('SIGTERM')
    return this.done()
  }

  /** Its output, once it has come to a good end. */
  async done() {
    const { code, signal, output } = await this.ended
    if (code !== 0) throw new Error(`a worker ended with ${code ?? signal}`)
    return output
  }
}
