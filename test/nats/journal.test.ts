// A bridge in small: the journal and a queue are real, JetStream is a list that knows ids again. It
// dies between any two steps, and a record is torn now and then.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type AckFrame, open, type SysVQueue } from 'kernelmq'
import t from 'tap'
import type * as packaged from '../../dist/bridge/journal.js'
import * as source from '../../src/bridge/journal.js'
import { readJournal } from '../../src/bridge/journal-file.js'
import { inChild } from '../fixtures/child.js'
import { drain, openAgain, openQueue, type Test } from '../fixtures/queues.js'

// No entry of the package leads to it. Its types are the package's, as those of the queues here.
const { Journal } = source as unknown as typeof packaged
type Journal = packaged.Journal

const WINDOW = 4

type Step = 'send' | 'publish' | 'remove' | 'crash'
type Crash = 'between steps' | 'before a publication' | 'before a removal' | 'after a removal'

interface Recorded {
  index: number
  message: Message
}

interface Message {
  type: number
  content: string
}

/** What JetStream does with ids. */
class Stream {
  readonly stored: Message[] = []
  readonly #ids = new Set<string>()
  publish(id: string, message: Message): void {
    if (!this.#ids.has(id)) this.stored.push(message)
    this.#ids.add(id)
  }
}

class Bridge {
  readonly journal: Journal
  readonly #queue: SysVQueue
  readonly #stream: Stream
  readonly #recorded: Recorded[] = []
  #published = 0

  constructor(file: string, queue: SysVQueue, stream: Stream) {
    this.journal = new Journal({ file, queue }, WINDOW)
    this.#queue = queue
    this.#stream = stream
  }

  /** Takes one more message into the window; `die`: recorded and not published. */
  publish(die: boolean): void {
    if (this.#recorded.length >= WINDOW) return
    const frame = this.#queue.peek(this.#recorded.length)
    if (!frame) return
    const index = this.journal.record([frame])
    const message = { type: Number(frame.type), content: frame.data.toString() }
    this.#recorded.push({ index, message })
    if (die) return
    this.#stream.publish(this.journal.id(index), message)
    this.#published++
  }

  /** Removes the oldest; `die`: after the note, or after the removal. */
  remove(die?: 'before a removal' | 'after a removal'): void {
    if (this.#published === 0) return
    const { index, message } = this.#recorded.shift() as Recorded
    this.#published--
    this.journal.noteRemoval(index)
    if (die === 'before a removal') return
    this.#queue.tryReceive({ type: message.type })
  }
}

function play(
  t: Test & { testdir(): string },
  steps: readonly (Step | Crash)[],
  next: () => Message,
): { sent: Message[]; stored: Message[]; killsInBetween: number } {
  const queue = openQueue(t, 'sysv', { maxBytes: 16_384 })
  const file = join(t.testdir(), `journal-${queue.id}`)
  const stream = new Stream()
  const sent: Message[] = []
  let killsInBetween = 0
  let bridge = new Bridge(file, queue, stream)
  const restart = () => {
    bridge.journal.close()
    bridge = new Bridge(file, queue, stream)
  }
  for (const step of steps) {
    if (step === 'send') {
      const message = next()
      queue.trySend(message.content, { type: message.type })
      sent.push(message)
    } else if (step === 'publish') bridge.publish(false)
    else if (step === 'remove') bridge.remove()
    else {
      if (step === 'before a publication') bridge.publish(true)
      if (step === 'before a removal' || step === 'after a removal') {
        bridge.remove(step)
        killsInBetween++
      }
      restart()
    }
  }
  while (queue.stats().messages > 0) {
    bridge.publish(false)
    bridge.remove()
  }
  bridge.journal.close()
  queue.unlink()
  return { sent, stored: stream.stored, killsInBetween }
}

const step = fc.constantFrom<Step | Crash>(
  ...(['send', 'send', 'publish', 'publish', 'remove', 'remove'] as const),
  ...(['between steps', 'before a publication', 'before a removal', 'after a removal'] as const),
)
const steps = fc.array(step, { maxLength: 60 })

/** Messages that follow one of their own kind more often than not. */
const alike = fc.record({
  type: fc.constantFrom(1, 1, 1, 1, 2),
  content: fc.constantFrom('a', 'a', 'a', 'a', 'b'),
})

/** Messages of two types, each with a content of its own. */
function different(): () => Message {
  let number = 0
  return () => ({ type: 1 + (number % 2), content: `${number++}` })
}

function count(messages: readonly Message[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { type, content } of messages) {
    const key = `${type} ${content}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

t.test('no message of equal content is dropped, and a kill repeats one at most', async (t) => {
  fc.assert(
    fc.property(steps, fc.infiniteStream(alike), (plan, messages) => {
      const next = () => messages.next().value as Message
      const { sent, stored, killsInBetween } = play(t, plan, next)
      const had = count(stored)
      for (const [key, number] of count(sent)) {
        if ((had.get(key) ?? 0) < number) throw new Error(`lost ${key}`)
      }
      if (stored.length - sent.length > killsInBetween) throw new Error('too many repeats')
    }),
    { numRuns: 120 },
  )
})

t.test(
  'while others wait behind it, no message with a content of its own is repeated',
  async (t) => {
    fc.assert(
      fc.property(steps, (plan) => {
        const { sent, stored, killsInBetween } = play(t, plan, different())
        const order = (type: number, list: Message[]) =>
          list.filter((each) => each.type === type).map(({ content }) => content)
        const distinct = [...new Map(stored.map((each) => [each.content, each])).values()]
        for (const type of [1, 2]) {
          if (`${order(type, distinct)}` !== `${order(type, sent)}`)
            throw new Error('lost, or disordered')
        }
        if (killsInBetween === 0 && stored.length !== sent.length) throw new Error('repeated')
      }),
      { numRuns: 120 },
    )
  },
)

t.test('a message noted and not removed is known again by the one behind it', async (t) => {
  const plan = ['send', 'send', 'publish', 'publish', 'before a removal'] as const
  t.equal(play(t, plan, different()).stored.length, 2)
})

t.test('a removal that was made is known by the one behind it', async (t) => {
  const plan = ['send', 'send', 'publish', 'publish', 'after a removal'] as const
  t.equal(play(t, plan, different()).stored.length, 2)
})

/** A queue with messages of which the journal has numbered the first ones. */
function interrupted(t: Test & { testdir(): string }, contents: string[], recorded: number) {
  const queue = openQueue(t, 'sysv')
  for (const content of contents) queue.trySend(content)
  const file = join(t.testdir(), 'folder', 'journal')
  const journal = new Journal({ file, queue }, WINDOW)
  const frames = contents.slice(0, recorded).map((_, i) => queue.peek(i) as AckFrame)
  const first = journal.record(frames)
  journal.close()
  return { queue, file, frames, id: journal.id(first) }
}

t.test('the same message has the same id in the next run', async (t) => {
  const { queue, file, frames, id } = interrupted(t, ['a', 'b', 'c'], 2)
  const journal = new Journal({ file, queue }, WINDOW)
  t.equal(journal.recovered, 2)
  t.equal(journal.id(journal.record(frames)), id)
  journal.close()
})

t.test('a torn record ends the window', async (t) => {
  const { queue, file } = interrupted(t, ['a', 'b', 'c'], 3)
  const bytes = readFileSync(file)
  // The last byte of the record of message 3.
  const at = 4096 + 3 * 32 + 31
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(file, bytes)
  const journal = new Journal({ file, queue }, WINDOW)
  t.equal(journal.recovered, 2)
  journal.close()
})

for (const [what, damage] of [
  ['shortened', (file: string) => truncateSync(file, 4200)],
  ['empty', (file: string) => truncateSync(file, 0)],
  ['foreign', (file: string) => writeFileSync(file, 'x'.repeat(10_000))],
] as const) {
  t.test(`a ${what} file is the same as none`, async (t) => {
    const { queue, file, id, frames } = interrupted(t, ['a', 'b'], 2)
    damage(file)
    const journal = new Journal({ file, queue }, WINDOW)
    t.equal(journal.recovered, 0)
    t.not(journal.id(journal.record(frames)), id)
    journal.close()
  })
}

t.test('messages that another process took give all that are left new ids', async (t) => {
  const { queue, file } = interrupted(t, ['a', 'a', 'a'], 2)
  const take = (kernelmq: typeof import('kernelmq'), address: string) => {
    kernelmq.open(address).tryReceive()
  }
  await inChild(take, { args: [queue.address] })
  const journal = new Journal({ file, queue }, WINDOW)
  t.equal(journal.recovered, 0)
  journal.close()
})

t.test('a queue made anew under the same key is another queue', async (t) => {
  const { queue, file } = interrupted(t, ['a', 'a'], 2)
  queue.unlink()
  const again = open(queue.address, { create: true }) as SysVQueue
  t.teardown(() => again.close())
  again.trySend('a')
  const journal = new Journal({ file, queue: again }, WINDOW)
  t.equal(journal.recovered, 0)
  journal.close()
})

t.test('a queue that changes while it is read is a conflict', async (t) => {
  const { queue, file } = interrupted(t, ['a', 'b'], 2)
  const journal = new Journal({ file, queue }, WINDOW)
  drain(openAgain(t, queue))
  queue.trySend('c')
  t.throws(() => journal.record([queue.peek() as AckFrame]), { code: 'ERR_JOURNAL_CONFLICT' })
  journal.close()
})

t.test('a journal in use by another process is refused', async (t) => {
  const { queue, file } = interrupted(t, ['a'], 1)
  const bytes = readFileSync(file)
  const writer = readJournal(file)?.writer as string
  // Process 1 lives as long as anybody here.
  const stat = readFileSync('/proc/1/stat', 'utf8')
  const other = `1 ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`.padEnd(writer.length)
  writeFileSync(file, Buffer.from(bytes.toString('latin1').replace(writer, other), 'latin1'))
  t.throws(() => new Journal({ file, queue }, WINDOW), { code: 'ERR_JOURNAL_BUSY' })
})

t.test('only messages of the types bridged are numbered', async (t) => {
  const queue = openQueue(t, 'sysv')
  for (const type of [1, 2, 1, 2]) queue.trySend(`${type}`, { type })
  const file = join(t.testdir(), 'journal')
  const frames = [1, 3].map((i) => queue.peek(i) as AckFrame)
  const first = new Journal({ file, queue, type: 2 }, WINDOW)
  first.record(frames)
  first.close()
  const second = new Journal({ file, queue, type: 1, except: true }, WINDOW)
  t.equal(second.recovered, 2)
  second.close()
})
