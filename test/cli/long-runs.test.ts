/** kmq in pipes that run for long, and such as are killed. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { cleanEnvironment, ended, main, startKmq } from '../fixtures/kmq.js'
import { type Kind, kinds, openQueue } from '../fixtures/queues.js'

const MIB = 1024 * 1024

/** A log, deterministic, a mebibyte at a time. */
function* log(mebibytes: number): Iterable<Buffer> {
  const lines: string[] = []
  for (let i = 0, length = 0; length < MIB; i++) {
    const line = `${i} ${'message '.repeat(i % 17)}\n`
    lines.push(line)
    length += line.length
  }
  const block = Buffer.from(lines.join('')).subarray(0, MIB)
  for (let i = 0; i < mebibytes; i++) yield block
}

/** The most memory that a process has had, in bytes. */
function mostMemory(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Sends a log of that many mebibytes and tells how much memory both sides had taken by the end. */
async function passLog(t: Parameters<typeof startKmq>[0], kind: Kind, mebibytes: number) {
  const options = kind === 'posix' ? { maxMessageSize: 8192 } : { maxBytes: 16384 }
  const queue = openQueue(t, kind, options)
  const receiver = startKmq(t, ['recv', queue.address])
  const sender = startKmq(t, ['send', queue.address, '--pack'])
  const expected = createHash('sha256')
  for (const block of log(mebibytes)) expected.update(block)
  const actual = createHash('sha256')
  let left = mebibytes * MIB + 1
  const arrived = (async () => {
    for await (const chunk of receiver.stdout) {
      actual.update(chunk)
      left -= chunk.length
      if (left <= 0) return
    }
  })()
  // Standard input stays open, so that both are there to be looked at.
  for (const block of log(mebibytes)) {
    if (!sender.stdin.write(block)) await once(sender.stdin, 'drain')
  }
  // The log ends within a line, which is not sent before its end.
  sender.stdin.write('\n')
  await arrived
  const memory = [sender, receiver].map(({ pid }) => mostMemory(pid as number))
  const same = actual.digest('hex') === expected.update('\n').digest('hex')
  return { same, memory }
}

for (const kind of kinds) {
  t.test(`${kind}: 88 MiB pass byte for byte, in constant memory`, async (t) => {
    const small = await passLog(t, kind, 24)
    const large = await passLog(t, kind, 88)
    t.ok(large.same)
    for (const [i, memory] of large.memory.entries()) {
      const growth = memory - (small.memory[i] as number)
      t.ok(growth < 48 * MIB, `${growth} bytes more for 64 MiB more`)
    }
  })
}

t.test('receivers with --ack that are killed lose nothing', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 16384 })
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`)
  const sender = startKmq(t, ['send', queue.address, '--eof'])
  sender.stdin.end(`${lines.join('\n')}\n`)
  let output = ''
  for (let kills = 0; kills < 8; kills++) {
    const receiver = startKmq(t, ['recv', queue.address, '--ack', '--eof'])
    const closed = once(receiver, 'close')
    receiver.stdout.on('data', (chunk: Buffer) => {
      output += chunk
      receiver.kill('SIGKILL')
    })
    await closed
  }
  const last = await ended(startKmq(t, ['recv', queue.address, '--ack', '--eof']))
  t.equal(last.code, 0)
  output += last.text
  const received = new Set(output.split('\n'))
  t.same(
    lines.filter((line) => !received.has(line)),
    [],
  )
})

t.test('a log that is followed is searched as it grows', async (t) => {
  const queue = openQueue(t, 'posix')
  const script = `"$0" "$1" recv ${queue.address} | grep --line-buffered error`
  const shell = spawn('sh', ['-c', script, process.execPath, main], {
    env: cleanEnvironment,
    detached: true,
  })
  t.teardown(() => process.kill(-(shell.pid as number), 'SIGKILL'))
  const sender = startKmq(t, ['send', queue.address])
  sender.stdin.write('info: fine\nerror: one\n')
  const [found] = await once(shell.stdout, 'data')
  t.equal(String(found), 'error: one\n')
  sender.stdin.write('error: two\n')
  const [again] = await once(shell.stdout, 'data')
  t.equal(String(again), 'error: two\n')
})
