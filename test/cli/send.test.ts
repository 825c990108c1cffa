import { execFileSync } from 'node:child_process'
import { constants, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ended, kmq, links, over, printed, startKmq } from '../fixtures/kmq.js'
import { drain, fill, kinds, LARGE, openQueue } from '../fixtures/queues.js'
import { until } from '../fixtures/streams.js'

const large = 'x'.repeat(LARGE)

for (const [kind, link] of kinds.flatMap((kind) => links.map((link) => [kind, link] as const))) {
  t.test(`${kind}, ${link}`, async (t) => {
    const { kmq, startKmq } = over(link)

    t.test('arguments are sent one message each', async (t) => {
      const queue = openQueue(t, kind)
      const { code, stderr } = await kmq(t, ['send', queue.address, 'one', 'two words', ''])
      t.equal(code, 0)
      t.equal(stderr, '')
      t.same(
        drain(queue).map(([, text]) => text),
        ['one', 'two words', ''],
      )
    })

    t.test('lines of standard input are sent one message each', async (t) => {
      const queue = openQueue(t, kind)
      const { code } = await kmq(t, ['send', queue.address], { input: 'one\ntwo words\nthree' })
      t.equal(code, 0)
      t.same(
        drain(queue).map(([, text]) => text),
        ['one', 'two words', 'three'],
      )
    })

    t.test('--type gives the messages a type', async (t) => {
      const queue = openQueue(t, kind)
      await kmq(t, ['send', queue.address, '--type', '7', 'x'])
      t.same(drain(queue), [[7, 'x']])
    })

    t.test('--eof sends an empty message at the end', async (t) => {
      const queue = openQueue(t, kind)
      await kmq(t, ['send', queue.address, '--eof'], { input: 'a\n\n' })
      t.same(
        drain(queue).map(([, text]) => text),
        ['a', '\n', ''],
      )
    })

    t.test('--pack puts as many whole lines into a message as fit', async (t) => {
      const queue = openQueue(t, kind, kind === 'sysv' ? { maxBytes: 20 } : { maxMessageSize: 10 })
      const sending = kmq(t, ['send', queue.address, '--pack'], {
        input: 'one\ntwo\nthree\nfour\n',
      })
      for (const lines of ['one\ntwo\n', 'three\n', 'four\n']) {
        t.equal((await queue.receive()).data.toString(), lines)
      }
      t.equal((await sending).code, 0)
    })

    t.test('a full queue is waited for', async (t) => {
      const queue = openQueue(t, kind)
      const filled = fill(queue)
      const sending = kmq(t, ['send', queue.address, 'x'.repeat(LARGE)])
      for (let i = 0; i < filled + 1; i++) await queue.receive()
      t.equal((await sending).code, 0)
    })

    t.test('--on-full drop-new drops what does not fit, and says how much', async (t) => {
      const queue = openQueue(t, kind)
      const filled = fill(queue)
      const input = `${'a'.repeat(LARGE)}\n`.repeat(3)
      const { code, stderr } = await kmq(t, ['send', queue.address, '--on-full', 'drop-new'], {
        input,
      })
      t.equal(code, 0)
      t.equal(stderr, 'kmq: 3 messages dropped: the queue was full\n')
      t.same(drain(queue).length, filled)
    })

    t.test('--on-full drop-old drops what is queued, and says how much', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const input = `${'a'.repeat(LARGE)}\n`.repeat(3)
      const { code, stderr } = await kmq(t, ['send', queue.address, '--on-full', 'drop-old'], {
        input,
      })
      t.equal(code, 0)
      t.equal(stderr, 'kmq: 3 messages dropped: the queue was full\n')
      const left = drain(queue).map(([, text]) => text[0])
      t.equal(left.filter((letter) => letter === 'a').length, 3)
    })

    t.test('--quiet keeps the counts back', async (t) => {
      const queue = openQueue(t, kind)
      fill(queue)
      const args = ['send', queue.address, '--on-full', 'drop-new', '--quiet', 'y'.repeat(LARGE)]
      t.equal((await kmq(t, args)).stderr, '')
    })

    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      t.test(`${signal} ends a sender that waits, which says what it had read`, async (t) => {
        const queue = openQueue(t, kind)
        const child = startKmq(t, ['send', queue.address])
        const result = ended(child)
        child.stdin.on('error', () => {})
        child.stdin.write(`${'x'.repeat(LARGE)}\n`.repeat(100))
        await queue.receive()
        child.kill(signal)
        const { code, stderr } = await result
        t.equal(code, expected)
        t.match(stderr, /^kmq: \d+ messages read and not sent\n$/)
      })
    }

    for (const [what, args, input, unsent] of [
      ['an argument', [large, large], '', '1 message'],
      ['the rest of an input that has ended', [], `${large}\nx\ny`, '2 messages'],
    ] as const) {
      t.test(`SIGTERM ends a sender that waits with ${what}`, async (t) => {
        const queue = openQueue(t, kind)
        const filled = fill(queue)
        await queue.receive()
        const child = startKmq(t, ['send', queue.address, ...args])
        const result = ended(child)
        child.stdin.end(input)
        // The first message goes, and fills it.
        await until(() => queue.stats().messages === filled)
        child.kill('SIGTERM')
        t.match(await result, { code: 143, stderr: `kmq: ${unsent} read and not sent\n` })
      })
    }
  })
}

t.test(
  '--on-full drop-old fails where a message fits no more, however empty the queue',
  async (t) => {
    const queue = openQueue(t, 'sysv', { maxBytes: 1000 })
    const child = startKmq(t, ['send', queue.address, '--on-full', 'drop-old'])
    const result = ended(child)
    child.stdin.write('first\n')
    await queue.receive()
    queue.configure({ maxBytes: 10 })
    child.stdin.end(`${large}\n`)
    t.match(await result, { code: 1, stderr: /^kmq: [^\n]+EMSGSIZE[^\n]+\n$/ })
  },
)

for (const link of links) {
  t.test(`a queue that shrinks under a sender that waits is EMSGSIZE, ${link}`, async (t) => {
    const queue = openQueue(t, 'sysv')
    const filled = fill(queue)
    await queue.receive()
    const child = startKmq(t, ['send', queue.address], { link })
    const result = ended(child)
    child.stdin.end(`${large}\n${large}\n`)
    // The first message goes, and fills it.
    await until(() => queue.stats().messages === filled)
    queue.configure({ maxBytes: 10 })
    t.match(await result, { code: 1, stderr: /^kmq: [^\n]+EMSGSIZE[^\n]+\n$/ })
    t.equal(drain(queue).length, filled)
  })
}

/** A line that JavaScript deals with, then one that has begun when more is read; its end comes first there. */
const begun: [longLines: string, first: string, rest: string, expected: string[]][] = [
  ['error', `\x10\x02m\n${large}`, '\nfoo\nbar\n', ['\x10\x02\x10\x02m\n', large, 'foo', 'bar']],
  ['truncate', `${large}y`, '\nfoo\nbar\n', [large, 'foo', 'bar']],
]
for (const [longLines, first, rest, expected] of begun) {
  t.test(`--long-lines ${longLines}: a line goes on with what is read next`, async (t) => {
    const queue = openQueue(t, 'posix')
    const child = startKmq(t, ['send', queue.address, '--long-lines', longLines])
    const result = ended(child)
    child.stdin.write(first)
    const texts = [(await queue.receive()).data.toString()]
    child.stdin.end(rest)
    while (texts.length < expected.length) texts.push((await queue.receive()).data.toString())
    t.same(texts, expected)
    t.equal((await result).code, 0)
    t.equal(queue.stats().messages, 0)
  })
}

t.test('--file sends a file', async (t) => {
  const queue = openQueue(t, 'sysv')
  const file = join(t.testdir(), 'log')
  writeFileSync(file, 'from\na file\n')
  const { code } = await kmq(t, ['send', queue.address, '--file', file])
  t.equal(code, 0)
  t.same(drain(queue), [
    [1, 'from'],
    [1, 'a file'],
  ])
})

t.test('a file longer than is read at once is sent whole, in every framing of bytes', async (t) => {
  // Lines, lengths and objects lie across the borders of what is read.
  const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 60)}`)
  const inputs = {
    line: lines.map((line) => `${line}\n`),
    length: lines.map((line) => `\0\0\0${String.fromCharCode(line.length)}${line}`),
    json: lines.map((data) => `${JSON.stringify({ type: 1, data })}\n`),
  }
  for (const [framing, pieces] of Object.entries(inputs)) {
    const queue = openQueue(t, 'sysv', { maxBytes: 16_384 })
    const file = join(t.testdir(), 'long')
    writeFileSync(file, pieces.join(''))
    const args = ['--framing', framing, queue.address, '--eof']
    const receiving = kmq(t, ['recv', ...args])
    t.match(await kmq(t, ['send', ...args, '--file', file]), { code: 0, stderr: '' })
    t.equal((await receiving).text, pieces.join(''), framing)
  }
})

t.test('a fifo is waited for, and its writer: a signal ends that', async (t) => {
  const queue = openQueue(t, 'sysv')
  const fifo = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [fifo])
  const waiting = startKmq(t, ['send', queue.address, '--file', fifo])
  const interrupted = ended(waiting)
  const descriptors = () => readdirSync(`/proc/${waiting.pid}/fd`)
  const links = () => descriptors().map((fd) => linkTo(`/proc/${waiting.pid}/fd/${fd}`))
  await until(() => links().includes(fifo))
  waiting.kill('SIGINT')
  t.equal((await interrupted).code, 130)
  const sending = kmq(t, ['send', queue.address, '--file', fifo])
  writeFileSync(fifo, 'one\ntwo\n')
  t.equal((await sending).code, 0)
  t.same(
    drain(queue).map(([, text]) => text),
    ['one', 'two'],
  )
})

function linkTo(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed between two looks.
    return ''
  }
}

t.test('standard input is left blocking for those who share it', async (t) => {
  const queue = openQueue(t, 'sysv')
  for (const command of ['send', 'recv']) {
    const child = startKmq(t, [command, queue.address])
    // Node puts it back at the end: it is looked at while they run.
    if (command === 'send') child.stdin.write('line\n')
    else queue.trySend('line')
    await (command === 'send' ? queue.receive() : printed(child.stdout, 'line\n'))
    const [, flags = ''] =
      /flags:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/fdinfo/0`, 'utf8')) ?? []
    t.equal(Number.parseInt(flags, 8) & constants.O_NONBLOCK, 0, command)
    child.kill('SIGTERM')
    await ended(child)
  }
})

t.test('a directory is not sent, and named', async (t) => {
  const { code, stderr } = await kmq(t, ['send', openQueue(t, 'sysv').address, '--file', '/'])
  t.equal(code, 1)
  t.equal(stderr, 'kmq: / is a directory\n')
  const command = ['sh', '-c', 'exec "$@" < /', 'sh']
  t.match(await kmq(t, ['send', openQueue(t, 'sysv').address], { command }), {
    code: 1,
    stderr: 'kmq: standard input is a directory\n',
  })
})

t.test('a file that is not there is one line, exit code 1', async (t) => {
  const { code, stderr } = await kmq(t, ['send', openQueue(t, 'sysv').address, '--file', '/none/x'])
  t.equal(code, 1)
  t.equal(stderr, "kmq: ENOENT: no such file or directory, stat '/none/x'\n")
})

/** Messages of 1, 100 and 1 bytes. */
const longAfterLength = `\0\0\0\x01a\0\0\0\x64${'x'.repeat(100)}\0\0\0\x01b`

const tooLong = `${'x'.repeat(100)}\nshort\n`

t.test('--long-lines split sends a long line in parts, and counts it', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 64 })
  const sending = kmq(t, ['send', queue.address], { input: tooLong })
  const parts = [await queue.receive(), await queue.receive(), await queue.receive()]
  const { code, stderr } = await sending
  t.equal(code, 0)
  t.equal(stderr, 'kmq: 1 line longer than 64 bytes split\n')
  t.same(
    parts.map(({ data }) => data.toString()),
    [`\x10\x02${'x'.repeat(62)}`, `\x10\x02${'x'.repeat(38)}\n`, 'short'],
  )
})

t.test('--long-lines error refuses a long line', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 64 })
  const args = ['send', queue.address, '--long-lines', 'error']
  const { code, stderr } = await kmq(t, args, { input: tooLong })
  t.equal(code, 1)
  t.match(stderr, /^kmq: a line is longer than the 64 bytes[^\n]+--long-lines[^\n]+\n$/)
})

t.test('--long-lines truncate cuts a long line, and counts it', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 69 })
  const args = ['send', queue.address, '--long-lines', 'truncate']
  const { code, stderr } = await kmq(t, args, { input: `${'x'.repeat(100)}\n` })
  t.equal(code, 0)
  t.equal(stderr, 'kmq: 1 message truncated to 69 bytes\n')
  t.same(drain(queue), [[1, 'x'.repeat(69)]])
})

for (const longLines of ['split', 'error']) {
  t.test(`a message behind its length is not split, --long-lines ${longLines}`, async (t) => {
    const queue = openQueue(t, 'sysv', { maxBytes: 64 })
    const args = ['send', queue.address, '--framing', 'length', '--long-lines', longLines]
    const { code, stderr } = await kmq(t, args, { input: longAfterLength })
    t.equal(code, 1)
    t.match(stderr, /^kmq: a message of 100 bytes is longer than the 64 bytes[^\n]+\n$/)
    t.same(drain(queue), [[1, 'a']])
  })
}

t.test('--long-lines truncate cuts a message behind its length, and finds the next', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 66 })
  const args = ['send', queue.address, '--framing', 'length', '--long-lines', 'truncate']
  const sending = kmq(t, args, { input: longAfterLength })
  const texts: string[] = []
  while (texts.length < 3) texts.push((await queue.receive()).data.toString())
  t.match(await sending, { code: 0, stderr: 'kmq: 1 message truncated to 66 bytes\n' })
  t.same(texts, ['a', 'x'.repeat(66), 'b'])
})

t.test('an argument is not split', async (t) => {
  const queue = openQueue(t, 'sysv', { maxBytes: 64 })
  const { code, stderr } = await kmq(t, ['send', queue.address, 'x'.repeat(65)])
  t.equal(code, 1)
  t.match(stderr, 'an argument is longer')
})

t.test('--framing null sends records that end in NUL', async (t) => {
  const queue = openQueue(t, 'sysv')
  await kmq(t, ['send', queue.address, '--framing', 'null'], { input: 'a\nb\0c\0' })
  t.same(drain(queue), [
    [1, 'a\nb'],
    [1, 'c'],
  ])
})

t.test('--framing json sends data with a type of its own', async (t) => {
  const queue = openQueue(t, 'sysv')
  const input = [
    { type: 3, data: 'tr\u00e8s' },
    { data: 'default' },
    { type: 4, data: '/w==', encoding: 'base64' },
  ]
  await kmq(t, ['send', queue.address, '--framing', 'json'], {
    input: input.map((each) => `${JSON.stringify(each)}\n`).join(''),
  })
  t.match(queue.tryReceive(), { type: 3, data: Buffer.from('tr\u00e8s') })
  t.match(queue.tryReceive(), { type: 1, data: Buffer.from('default') })
  t.match(queue.tryReceive(), { type: 4, data: Buffer.from([0xff]) })
})

t.test('--framing json names the line that is no message', async (t) => {
  const args = ['send', openQueue(t, 'sysv').address, '--framing', 'json']
  const { code, stderr } = await kmq(t, args, { input: '{"data":"a"}\n{"date":"b"}\n' })
  t.equal(code, 1)
  t.match(stderr, /^kmq: line 2 of the input is not a message[^\n]+\n$/)
})

t.test(
  '--framing json refuses a type that no queue takes, and bytes that are not base64',
  async (t) => {
    for (const [wrong, says] of [
      ['{"type":0,"data":"x"}', 'has a type that the queue does not take: 0'],
      ['{"type":1.5,"data":"x"}', 'has a type that the queue does not take: 1.5'],
      [
        '{"type":"99999999999999999999","data":"x"}',
        'has a type that the queue does not take: 9999',
      ],
      ['{"type":[5],"data":"x"}', 'is not a message'],
      ['{"data":"!!","encoding":"base64"}', 'is not a message'],
    ] as const) {
      const queue = openQueue(t, 'sysv')
      const args = ['send', queue.address, '--framing', 'json']
      const { code, stderr } = await kmq(t, args, { input: `{"data":"a"}\n${wrong}\n` })
      t.equal(code, 1, wrong)
      t.ok(stderr.startsWith(`kmq: line 2 of the input ${says}`), stderr)
      t.same(drain(queue), [[1, 'a']])
    }
  },
)

t.test('--type wins over a type in --framing json, also one that cannot be', async (t) => {
  const queue = openQueue(t, 'sysv')
  const args = ['send', queue.address, '--framing', 'json', '--type', '7']
  t.equal((await kmq(t, args, { input: '{"type":0,"data":"x"}\n' })).code, 0)
  t.same(drain(queue), [[7, 'x']])
})

t.test('--framing length sends what stands behind a length', async (t) => {
  const queue = openQueue(t, 'sysv')
  const input = Buffer.from('\0\0\0\x03a\nb\0\0\0\0\0\0\0\x01c')
  await kmq(t, ['send', queue.address, '--framing', 'length'], { input })
  t.same(drain(queue), [
    [1, 'a\nb'],
    [1, ''],
    [1, 'c'],
  ])
})

t.test('--framing raw sends bytes', async (t) => {
  const queue = openQueue(t, 'sysv')
  await kmq(t, ['send', queue.address, '--framing', 'raw'], { input: 'any\nbytes' })
  t.same(drain(queue), [[1, 'any\nbytes']])
})
