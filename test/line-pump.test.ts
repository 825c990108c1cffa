/** Lines between a descriptor and a queue by a thread: as JavaScript alone would do it, and nothing lost. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { type Frame, type MessageQueue, open } from 'kernelmq'
import t from 'tap'
import { makeCutter } from '../src/cli/framing/cutter.js'
import { delimiters, MARK } from '../src/cli/framing/framing.js'
import { makeWriter } from '../src/cli/framing/writer.js'
import { Progress } from '../src/cli/progress.js'
import { Sending, type SendingOptions } from '../src/cli/sending.js'
import type { LinePump } from '../src/drivers/line-pump.js'
import { inChild, noNamespace, ownNamespace } from './fixtures/child.js'
import { noFaults, withFaults } from './fixtures/fault.js'
import { drain, fill, kinds, openQueue, type Test, texts } from './fixtures/queues.js'

const LONGEST = 24
const small = {
  posix: { maxMessages: 10, maxMessageSize: LONGEST },
  sysv: { maxBytes: LONGEST },
}
const lines = { delimiter: delimiters.line, mark: MARK }

function pumpOf(queue: MessageQueue): LinePump {
  return (queue as unknown as { linePump(): LinePump }).linePump()
}

/** Takes messages until there is an empty one. */
async function receiveAll(queue: MessageQueue): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const { data } = await queue.receive()
    if (data.length === 0) return all
    all.push(data.toString('latin1'))
  }
}

/** A pipe with a name, for its ends to be opened without waiting for each other. */
function openFifo(t: Test & { testdir(): string }) {
  const fifo = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [fifo])
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
  t.teardown(() => closeSync(reader))
  return { reader, writer }
}

function fillPipe(writer: number): void {
  const page = Buffer.alloc(4096)
  try {
    for (;;) writeSync(writer, page)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
}

/** What there is to be read now. */
function readAll(fd: number): string {
  const chunk = Buffer.alloc(256 * 1024)
  let text = ''
  try {
    for (;;) {
      const length = readSync(fd, chunk)
      if (length === 0) return text
      text += chunk.subarray(0, length)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    return text
  }
}

const words = ['\n', '\n', '\0', 'a', 'bc', '\x10\x02', '\x10', 'x'.repeat(11), 'y'.repeat(60)]
const inputs = fc.record({
  input: fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((each) => each.join('')),
  framing: fc.constantFrom('line' as const, 'null' as const),
  pack: fc.boolean(),
  eof: fc.boolean(),
})

for (const kind of kinds) {
  t.test(`${kind}: the messages are those that JavaScript alone makes of the lines`, async (t) => {
    const queue = openQueue(t, kind, small[kind])
    const receiver = open(queue.address)
    const file = join(t.testdir(), 'lines')
    await fc.assert(
      fc.asyncProperty(inputs, async ({ input, framing, pack, eof }) => {
        writeFileSync(file, input, 'latin1')
        const cutter = makeCutter(
          {
            framing,
            pack,
            longLines: 'split',
            exactEnd: eof,
            longest: LONGEST,
            best: kind === 'posix' ? LONGEST : LONGEST / 2,
            takesType: () => true,
          },
          { split: 0, truncated: 0 },
        )
        const bytes = Buffer.from(input, 'latin1')
        const expected = [...cutter.cut(bytes), ...cutter.end()].map(({ data }) =>
          data.toString('latin1'),
        )
        const options: SendingOptions = {
          framing,
          pack,
          eof,
          file,
          onFull: 'wait',
          longLines: 'split',
        }
        const progress = new Progress(queue as never, false, 'line')
        const sending = new Sending(queue as never, options, new AbortController().signal, progress)
        const received = receiveAll(receiver)
        await sending.sendInput()
        await sending.sendEnd()
        const messages = await received
        if (JSON.stringify(messages) !== JSON.stringify(expected)) {
          throw new Error(`${JSON.stringify(messages)} for ${JSON.stringify(expected)}`)
        }
      }),
      { numRuns: 500 },
    )
    t.pass('500 inputs')
    await receiver.close()
  })

  t.test(`${kind}: messages are written as JavaScript alone writes them`, async (t) => {
    const queue = openQueue(t, kind)
    const file = join(t.testdir(), 'written')
    const write = makeWriter('line', false)
    const messages = fc.array(
      fc
        .array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 })
        .map((each) => each.join('')),
      { maxLength: 9 },
    )
    await fc.assert(
      fc.asyncProperty(messages, async (sent) => {
        const expected: Buffer[] = []
        for (const text of sent) {
          queue.trySend(text)
          expected.push(...write({ type: 1, data: Buffer.from(text) } as Frame))
        }
        queue.trySend('')
        const fd = openSync(file, 'w')
        const pump = pumpOf(queue)
        const { ended, rest } = await pump.fromQueue({}, { ...lines, fd, eof: true })
        closeSync(fd)
        return (
          ended &&
          rest.length === 0 &&
          pump.progress.records === sent.length &&
          readFileSync(file).equals(Buffer.concat(expected))
        )
      }),
      { numRuns: 500 },
    )
    t.pass('500 batches')
  })

  t.test(`${kind}: cancelled, it has given or gives back every message`, async (t) => {
    const queue = openQueue(t, kind)
    const { reader, writer } = openFifo(t)
    const pump = pumpOf(queue)
    const pumping = pump.fromQueue({}, { ...lines, fd: writer, eof: false })
    // More than a pipe takes, so that at last it waits for a reader, with messages in hand.
    let sent = 0
    const next = () => `${sent}`.padStart(100, '0')
    while (pump.progress.bytes < 50_000 || pump.progress.atQueue) {
      if (queue.trySend(next())) sent++
      else await setImmediate()
    }
    while (queue.trySend(next())) sent++
    pump.cancel()
    const { ended, rest } = await pumping
    closeSync(writer)
    const written = readAll(reader).split('\n')
    // A part of the first of the rest.
    const begun = written.pop() as string
    const left = drain(queue).map(([, text]) => text)
    t.notOk(ended)
    t.ok(rest.length > 0)
    t.ok(texts(rest)[0]?.startsWith(begun))
    t.same([...written, ...texts(rest), ...left].map(Number), [...Array(sent).keys()])
    t.equal(pump.progress.records, written.length)
    t.equal(pump.progress.bytes, written.length * 101 + begun.length)
  })

  t.test(`${kind}: cancelled, it gives back what it has read and not sent`, async (t) => {
    const queue = openQueue(t, kind)
    const file = join(t.testdir(), 'lines')
    const input = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join('')
    writeFileSync(file, `${input}the rest`)
    const fd = openSync(file, 'r')
    const pump = pumpOf(queue)
    const how = { ...lines, fd, size: 100, pack: true, count: true, pollFirst: true }
    const pumping = pump.toQueue(undefined, how, Buffer.from('before '))
    while (!pump.progress.atQueue) await setImmediate()
    pump.cancel()
    const { ended, rest } = await pumping
    const sent = drain(queue).map(([, text]) => text)
    t.notOk(ended)
    t.equal(sent.join('') + rest, `before ${input}the rest`)
    t.equal(pump.progress.records, sent.join('').split('\n').length - 1)
    t.equal(pump.progress.bytes, input.length + 'the rest'.length)
    closeSync(fd)
  })

  t.test(`${kind}: with a size of 0 it reads once, and leaves all`, async (t) => {
    const queue = openQueue(t, kind)
    const file = join(t.testdir(), 'lines')
    writeFileSync(file, '\nfoo\nbar\n')
    for (const pack of [true, false]) {
      const fd = openSync(file, 'r')
      const how = { ...lines, fd, size: 0, pack, count: false, pollFirst: true }
      const { ended, rest } = await pumpOf(queue).toQueue(undefined, how, Buffer.alloc(0))
      t.equal(`${rest}`, '\nfoo\nbar\n')
      t.notOk(ended)
      t.equal(queue.stats().messages, 0)
      closeSync(fd)
    }
  })

  t.test(`${kind}: cancelled in full flow, what it has taken is written to a file`, async (t) => {
    const queue = openQueue(t, kind)
    const fd = openSync(join(t.testdir(), 'copy'), 'w')
    for (let i = 0; i < 10; i++) {
      const pump = pumpOf(queue)
      const pumping = pump.fromQueue({}, { ...lines, fd, eof: false })
      const { records } = pump.progress
      while (pump.progress.records - records < 100) {
        if (!queue.trySend('x')) await setImmediate()
      }
      // There is a batch under way, and no room for it in the queue.
      while (queue.trySend('x'));
      pump.cancel()
      t.equal((await pumping).rest.length, 0)
    }
    closeSync(fd)
  })

  t.test(`${kind}: a worker that is terminated puts back what it had taken`, async (t) => {
    const queue = openQueue(t, kind)
    const { reader, writer } = openFifo(t)
    fillPipe(writer)
    const program = `
      const { workerData: { address, fd } } = require('node:worker_threads')
      import('kernelmq').then(({ open }) => {
        const lines = { fd, delimiter: 10, mark: Buffer.of(16, 2), eof: true }
        open(address).linePump().fromQueue({}, lines)
      })`
    const workerData = { address: queue.address, fd: writer }
    const worker = new Worker(program, { eval: true, workerData, execArgv: [] })
    for (const text of ['one', 'two', '']) await queue.send(text)
    while (queue.stats().messages > 0) await setImmediate()
    await worker.terminate()
    t.same(
      drain(queue).map(([, text]) => text),
      ['one', 'two', ''],
    )
    t.notMatch(readAll(reader), /one|two/)
    closeSync(writer)
  })

  t.test(`${kind}: what the system refuses is said, and what was in hand comes back`, async (t) => {
    const queue = openQueue(t, kind)
    const file = join(t.testdir(), 'lines')
    writeFileSync(file, 'one\ntwo\n')
    const fd = openSync(file, 'r+')
    const closed = openSync(file, 'r')
    const pump = pumpOf(queue)
    const input = { ...lines, fd, size: 4, pack: true, count: false, pollFirst: true }
    queue.trySend('kept')
    queue.trySend('')
    const full = await pump.fromQueue({}, { ...lines, fd: openSync('/dev/full', 'w'), eof: true })
    t.match(full.error, { code: 'ENOSPC', syscall: 'write', message: /no space left/ })
    t.same(texts(full.rest), ['kept', ''])
    closeSync(closed)
    const bad = await pump.toQueue(undefined, { ...input, fd: closed }, Buffer.from('b'))
    t.match(bad, { error: { code: 'EBADF', syscall: 'read' } })
    t.equal(`${bad.rest}`, 'b')
    fill(queue)
    const waiting = pump.toQueue(undefined, input, Buffer.alloc(0))
    while (!pump.progress.atQueue) await setImmediate()
    if (kind === 'sysv') {
      queue.unlink()
      const gone = await waiting
      t.match(gone.error, { code: 'EIDRM', syscall: 'msgsnd' })
      t.equal(`${gone.rest}`, 'one\ntwo\n')
    } else {
      pump.cancel()
      t.equal(`${(await waiting).rest}`, 'one\ntwo\n')
    }
    closeSync(fd)
  })

  t.test(`${kind}: calls that fail in the thread`, { skip: noFaults }, async (t) => {
    const queue = openQueue(t, kind)
    const [send, receive] =
      kind === 'sysv' ? (['msgsnd', 'msgrcv'] as const) : (['mq_send', 'mq_receive'] as const)
    const outcome = await withFaults(
      async ({ open }, faults, address, send, receive, file) => {
        const { openSync, writeFileSync } = await import('node:fs')
        writeFileSync(file, 'one\ntwo\nthree\n')
        const queue = open(address)
        const pump = (queue as unknown as { linePump(): LinePump }).linePump()
        const lines = { delimiter: 10, mark: Buffer.of(16, 2) }
        const input = {
          ...lines,
          fd: openSync(file, 'r'),
          size: 6,
          pack: false,
          count: false,
          pollFirst: true,
        }
        // The second one meets a signal, the third one the end of the memory.
        faults.arm(send, 'EINTR', { after: 1, times: 3, waits: true })
        const left = await pump.toQueue(undefined, input, Buffer.alloc(0))
        const interrupted = faults.disarm()
        const queued = queue.stats().messages
        faults.arm(send, 'ENOMEM', { waits: true })
        const refused = await pump.toQueue(
          undefined,
          { ...input, fd: openSync(file, 'r') },
          left.rest,
        )
        faults.disarm()
        faults.arm(receive, 'ENOMEM', { after: 3, times: 1000, waits: true })
        const output = { ...lines, fd: openSync(`${file}.copy`, 'w'), eof: false }
        const received = await pump.fromQueue({}, output)
        faults.disarm()
        return {
          interrupted,
          queued,
          left: `${left.rest}`,
          refused: { error: refused.error, rest: `${refused.rest}` },
          received: { error: received.error, rest: received.rest.length },
        }
      },
      queue.address,
      send,
      receive,
      join(t.testdir(), 'lines'),
    )
    t.match(outcome, {
      interrupted: 3,
      queued: 3,
      left: '',
      refused: { error: { code: 'ENOMEM', syscall: send }, rest: 'one\ntwo\nthree\n' },
      received: { error: { code: 'ENOMEM', syscall: receive }, rest: 0 },
    })
  })
}

t.test('only what is selected is written', async (t) => {
  const queue = openQueue(t, 'sysv')
  const file = join(t.testdir(), 'selected')
  const written = async (selection: { type: number; except?: boolean }) => {
    const fd = openSync(file, 'w')
    await pumpOf(queue).fromQueue(selection, { ...lines, fd, eof: true })
    closeSync(fd)
    return readFileSync(file, 'utf8')
  }
  const send = () => {
    for (const type of [3, 1, 2, 3]) queue.trySend(`of type ${type}`, { type })
    for (const type of [1, 2, 3]) queue.trySend('', { type })
  }
  send()
  t.equal(await written({ type: 2 }), 'of type 2\n')
  t.equal(await written({ type: -2 }), 'of type 1\n')
  t.equal(await written({ type: 3 }), 'of type 3\nof type 3\n')
  send()
  t.equal(await written({ type: 3, except: true }), 'of type 1\nof type 2\n')
  const posix = pumpOf(openQueue(t, 'posix'))
  await t.rejects(posix.fromQueue({ type: 2 }, { ...lines, fd: 1, eof: true }), { code: 'ENOTSUP' })
})

t.test('msgmax raised: longer messages are written whole', { skip: noNamespace }, async (t) => {
  const lengths = await inChild(
    async ({ open, setLimits }, file) => {
      const { openSync, readFileSync } = await import('node:fs')
      const queue = open({ private: true }, { create: true })
      const pump = (queue as unknown as { linePump(): LinePump }).linePump()
      const fd = openSync(file, 'w')
      const lines = { fd, delimiter: 10, mark: Buffer.of(16, 2), eof: true }
      const pumping = pump.fromQueue({}, lines)
      await queue.send('a')
      setLimits({ sysv: { msgmax: 900_000, msgmnb: 2_000_000 } })
      queue.configure({ maxBytes: 2_000_000 })
      for (const length of [100, 900_000, 5]) await queue.send('x'.repeat(length))
      await queue.send('')
      await pumping
      queue.unlink()
      return readFileSync(file, 'utf8')
        .split('\n')
        .map(({ length }) => length)
    },
    { command: ownNamespace, args: [join(t.testdir(), 'long')] },
  )
  t.same(lengths, [1, 100, 900_000, 5, 0])
})

t.test('what no JavaScript of ours passes does no harm', async (t) => {
  const queue = openQueue(t, 'posix')
  const { native } = await import('../src/binding/native.js')
  const pump = new native.LinePump() as unknown as Record<string, (...args: unknown[]) => number>
  const posix = { fd: queue.fd, shared: false, type: 0 }
  const of = (lines: object) => [posix, { ...lines, mark: MARK, delimiter: 10 }, Buffer.alloc(0)]
  t.equal(pump.toQueue?.(), -22, 'EINVAL: no queue')
  t.equal(pump.toQueue?.({ fd: 9999, shared: false, type: 0 }, {}), -9, 'not a queue of ours')
  t.equal(pump.fromQueue?.({ fd: 'x' }, null), -22)
  const over = () =>
    new Promise<number>((resolve) => {
      Object.assign(pump, { ondone: resolve })
    })
  for (const size of [-1, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, '8']) {
    const done = over()
    t.equal(pump.toQueue?.(...of({ fd: openSync('/dev/null', 'r'), size })), 0)
    t.equal(pump.toQueue?.(...of({ fd: 0, size })), -16, 'EBUSY')
    t.equal(await done, 0, `the end of the input, for ${String(size)}`)
  }
  queue.trySend('x')
  const done = over()
  t.equal(pump.fromQueue?.(...of({ fd: openSync('/dev/null', 'w'), size: -1 })), 0)
  while (queue.stats().messages > 0) await setImmediate()
  pump.cancel?.()
  t.equal(await done, -125)
})
