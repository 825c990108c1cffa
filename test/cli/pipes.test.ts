/** kmq as a pipe: bytes in are bytes out. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { MessageQueue } from 'kernelmq'
import t from 'tap'
import { ended, type Link, links, over, type startKmq } from '../fixtures/kmq.js'
import { kinds, openQueue } from '../fixtures/queues.js'

const MARK = '\x10\x02'
/** Whatever a log may have, and a log should not. */
const odd = Buffer.concat([
  Buffer.from('\n\nplain\n\0NUL\0\n'),
  Buffer.from([0xff, 0xfe, 0x0a, 0xc3, 0x0a]),
  Buffer.from(`${MARK}a line that begins as our mark does\n${MARK}\n`),
  ...[254, 255, 256, 257, 258, 511, 512, 513, 3000].map((length) =>
    Buffer.concat([Buffer.alloc(length, 'x'), Buffer.from('\n')]),
  ),
  Buffer.concat([Buffer.from(MARK), Buffer.alloc(1000, 'y'), Buffer.from('\n')]),
  randomBytes(20_000),
])

const inputs: [what: string, input: Buffer][] = [
  ['odd lines', Buffer.concat([odd, Buffer.from('\n')])],
  ['no final newline', Buffer.concat([odd, Buffer.from('\nthe end')])],
  ['a long last line without newline', Buffer.alloc(1000, 'z')],
  ['empty lines alone', Buffer.alloc(300, '\n')],
  ['nothing', Buffer.alloc(0)],
]

async function through(
  t: Parameters<typeof startKmq>[0],
  queue: MessageQueue,
  input: Buffer,
  sendOptions: string[],
  recvOptions: string[] = [],
  link: Link = 'pipe',
): Promise<Buffer> {
  const { startKmq } = over(link)
  const receiving = ended(startKmq(t, ['recv', queue.address, '--eof', ...recvOptions]))
  const sender = startKmq(t, ['send', queue.address, '--eof', ...sendOptions])
  const sending = ended(sender)
  await pipeline(Readable.from([input]), sender.stdin)
  const [sent, received] = await Promise.all([sending, receiving])
  if (sent.code !== 0 || received.code !== 0) throw new Error(sent.stderr + received.stderr)
  return received.stdout
}

const everything = inputs.map(([what]) => what)
const ways: [how: string, send: string[], recv: string[], what: string[]][] = [
  ['line by line', [], [], everything],
  ['packed', ['--pack'], [], everything],
  ['raw', ['--framing', 'raw'], ['--framing', 'raw'], ['no final newline']],
  [
    'packed, with NUL',
    ['--pack', '--framing', 'null'],
    ['--framing', 'null'],
    ['no final newline'],
  ],
]
for (const kind of kinds) {
  for (const link of links) {
    for (const [how, sendOptions, recvOptions, chosen] of ways) {
      t.test(`${kind}, ${link}, ${how}: every byte arrives`, async (t) => {
        for (const [what, input] of inputs.filter(([each]) => chosen.includes(each))) {
          const queue = openQueue(t, kind)
          const output = await through(t, queue, input, sendOptions, recvOptions, link)
          t.ok(output.equals(input), what)
        }
      })
    }
  }
}

t.test('records with lengths, and JSON, come back as they went', async (t) => {
  const messages = [Buffer.from('a\nb'), randomBytes(200), Buffer.from('x')]
  const lengths = messages.map(({ length }) => {
    const header = Buffer.alloc(4)
    header.writeUInt32BE(length)
    return header
  })
  const input = Buffer.concat(messages.flatMap((data, i) => [lengths[i] as Buffer, data]))
  const how = ['--framing', 'length']
  const queue = openQueue(t, 'sysv')
  t.ok((await through(t, queue, input, how, how)).equals(input))
  const json = Buffer.from(
    '{"type":1,"data":"tr\\u00e8s\\n"}\n{"type":9,"data":"/w==","encoding":"base64"}\n',
  )
  const output = await through(t, queue, json, ['--framing', 'json'], ['--framing', 'json'])
  t.same(
    output
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    json
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  )
})
