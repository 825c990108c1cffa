import t from 'tap'
import { kmq } from '../fixtures/kmq.js'
import { drain, openQueue } from '../fixtures/queues.js'

t.test('--type takes messages of a type', async (t) => {
  const queue = openQueue(t, 'sysv')
  for (const type of [1, 2, 3]) queue.trySend(`type ${type}`, { type })
  const { text } = await kmq(t, ['recv', queue.address, '--type', '2', '--drain'])
  t.equal(text, 'type 2\n')
})

t.test('a negative --type takes the lowest first', async (t) => {
  const queue = openQueue(t, 'sysv')
  for (const type of [3, 1, 2]) queue.trySend(`type ${type}`, { type })
  const { text } = await kmq(t, ['recv', queue.address, '--type', '-2', '--drain'])
  t.equal(text, 'type 1\ntype 2\n')
})

t.test('--except takes every other type', async (t) => {
  const queue = openQueue(t, 'sysv')
  for (const type of [1, 2, 3]) queue.trySend(`type ${type}`, { type })
  const { text } = await kmq(t, ['recv', queue.address, '--type', '2', '--except', '--drain'])
  t.equal(text, 'type 1\ntype 3\n')
})

const framed: [framing: string, written: Buffer][] = [
  ['line', Buffer.from('a\nb\xff\n\n', 'latin1')],
  ['null', Buffer.from('a\0b\xff\0\0', 'latin1')],
  ['raw', Buffer.from('ab\xff', 'latin1')],
  ['length', Buffer.from('\0\0\0\x01a\0\0\0\x02b\xff\0\0\0\0', 'latin1')],
  [
    'json',
    Buffer.from(
      '{"type":1,"data":"a"}\n{"type":1,"data":"Yv8=","encoding":"base64"}\n{"type":1,"data":""}\n',
    ),
  ],
]
for (const [framing, written] of framed) {
  t.test(`--framing ${framing} writes what send and other programs read`, async (t) => {
    const queue = openQueue(t, 'sysv')
    for (const data of ['a', Buffer.from([0x62, 0xff]), '']) queue.trySend(data)
    const peeked = await kmq(t, ['peek', queue.address, '--framing', framing])
    t.same(peeked.stdout, written)
    const { stdout } = await kmq(t, ['recv', queue.address, '--framing', framing, '--drain'])
    t.same(stdout, written)
  })
}

t.test('no type is rounded in JSON', async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.trySend('x', { type: 2n ** 63n - 1n })
  const { text } = await kmq(t, ['recv', queue.address, '--framing', 'json', '--drain'])
  t.equal(text, '{"type":"9223372036854775807","data":"x"}\n')
})

t.test('peek shows messages and leaves them', async (t) => {
  const queue = openQueue(t, 'sysv')
  for (const data of ['a', 'b', 'c']) queue.trySend(data)
  t.match(await kmq(t, ['peek', queue.address]), { code: 0, text: 'a\nb\nc\n' })
  t.match(await kmq(t, ['peek', queue.address, '--count', '2']), { code: 0, text: 'a\nb\n' })
  t.equal(drain(queue).length, 3)
})
