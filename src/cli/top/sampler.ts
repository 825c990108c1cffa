/** What happens in all queues over time, from looking at them often. */
import { list, type QueueStats } from '../../index.js'
import { fillOf } from '../format/queue.js'
import { type Blocked, findBlocked, findProcess, type Process } from '../system/processes.js'

/** A queue as `kmq top --json` prints it. */
export interface Row {
  address: string
  kind: 'posix' | 'sysv'
  messages: number
  bytes: number
  /** 0 to 1. */
  fill: number
  /** Messages a second, at least: what comes and goes between two looks is not seen. */
  inPerSecond: number
  outPerSecond: number
  /** Whether anything was sent or received, seen or not, in the interval. System V tells. */
  sending: boolean
  receiving: boolean
  /** Messages in the queue, one number an interval, the latest last. */
  history: number[]
  blocked: Blocked
  /** Who did so last; null where nobody has or, as on POSIX, nobody knows. */
  sender: Process | null
  receiver: Process | null
}

/** How many intervals back the history goes. */
const HISTORY = 20
/** How often to look, and how much of the time that may take. */
const SAMPLE_MS = 50
const SHARE = 0.05

interface Track {
  stats: QueueStats
  came: number
  went: number
  sent: boolean
  received: boolean
  history: number[]
}

export class Sampler {
  #tracks = new Map<string, Track>()
  #blocked = new Map<string, Blocked>()
  #scanAgain = 0
  #since = performance.now()
  #timer: NodeJS.Timeout | undefined

  /** Looks at all queues from now on. */
  start(): this {
    this.#look()
    return this
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const took = timed(() => this.#sample())
    this.#timer = setTimeout(() => this.#look(), Math.max(SAMPLE_MS, took / SHARE))
  }

  #sample(): void {
    const before = this.#tracks
    this.#tracks = new Map()
    for (const stats of list()) {
      const key = keyOf(stats)
      const track = before.get(key) ?? newTrack(stats)
      observe(track, stats)
      this.#tracks.set(key, track)
    }
  }

  /** The rows of the interval since the last call. */
  rows(): Row[] {
    this.#sample()
    if (performance.now() >= this.#scanAgain) {
      const took = timed(() => {
        this.#blocked = findBlocked()
      })
      this.#scanAgain = performance.now() + took / SHARE
    }
    const now = performance.now()
    const seconds = (now - this.#since) / 1000
    this.#since = now
    return [...this.#tracks].map(([key, track]) => this.#row(key, track, seconds))
  }

  #row(key: string, track: Track, seconds: number): Row {
    const { stats, came, went, sent, received } = track
    track.history = [...track.history, stats.messages].slice(-HISTORY)
    track.came = track.went = 0
    track.sent = track.received = false
    const { address, kind, messages, bytes } = stats
    return {
      address,
      kind,
      messages,
      bytes,
      fill: fillOf(stats),
      inPerSecond: Math.round(came / seconds),
      outPerSecond: Math.round(went / seconds),
      sending: sent,
      receiving: received,
      history: track.history,
      blocked: this.#blocked.get(key) ?? { senders: 0, receivers: 0 },
      sender: stats.kind === 'sysv' ? processOf(stats.lastSendPid) : null,
      receiver: stats.kind === 'sysv' ? processOf(stats.lastReceivePid) : null,
    }
  }
}

/** A removed queue's name may be used again, its identifier is not soon. */
function keyOf(stats: QueueStats): string {
  return stats.kind === 'sysv' ? `sysv:${stats.id}` : stats.address
}

function newTrack(stats: QueueStats): Track {
  return { stats, came: 0, went: 0, sent: false, received: false, history: [] }
}

function observe(track: Track, stats: QueueStats): void {
  const change = stats.messages - track.stats.messages
  if (change > 0) track.came += change
  if (change < 0) track.went -= change
  const before = track.stats
  track.sent ||= change > 0
  track.received ||= change < 0
  if (stats.kind === 'sysv' && before.kind === 'sysv') {
    track.sent ||= stats.lastSendTime?.getTime() !== before.lastSendTime?.getTime()
    track.received ||= stats.lastReceiveTime?.getTime() !== before.lastReceiveTime?.getTime()
  }
  track.stats = stats
}

function processOf(pid: number): Process | null {
  return pid === 0 ? null : findProcess(pid)
}

function timed(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}
