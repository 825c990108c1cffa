/** The torture test's bookkeeping: it must see what it is there to see. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Frame } from 'kernelmq'
import t from 'tap'

const torture = new URL('../torture/', import.meta.url)
const { settle } = await import(new URL('ledger.js', torture).href)
const { compose, examine } = await import(new URL('message.js', torture).href)
const { CORRUPT, ReceivedRecord, readPairs } = await import(new URL('records.js', torture).href)

/** Settles records given as lists of pairs, each a file. */
function settled(confirmed: [number, number][][], received: [number, number][][]) {
  const folder = t.testdir({})
  const files = (name: string, lists: [number, number][][]) =>
    lists.map((pairs, i) => {
      const file = join(folder, `${name}-${i}`)
      writeFileSync(file, Uint32Array.from(pairs.flat()))
      return file
    })
  return settle(files('confirmed', confirmed), files('received', received))
}

const nothing = { lost: 0, repeated: 0, corrupt: 0, unordered: 0, unconfirmed: 0 }

t.test('all that was sent and arrived is settled', async (t) => {
  const sums = settled(
    [[[7, 3]]],
    [
      [
        [7, 0],
        [7, 2],
      ],
      [[7, 1]],
    ],
  )
  t.same(sums, { ...nothing, sent: 3, received: 3 })
})

t.test('what is in no record of a receiver is lost', async (t) => {
  t.match(
    settled(
      [[[7, 3]], [[8, 1]]],
      [
        [
          [7, 0],
          [7, 2],
        ],
      ],
    ),
    { lost: 2 },
  )
})

t.test('what arrived twice is repeated, in one record or two', async (t) => {
  t.match(
    settled(
      [[[7, 2]]],
      [
        [
          [7, 0],
          [7, 1],
          [7, 1],
        ],
        [[7, 0]],
      ],
    ),
    { repeated: 2, lost: 0 },
  )
})

t.test('what overtook an earlier one of its type is unordered', async (t) => {
  // Four types: 0 and 4 are of one, 1 is of another.
  t.match(
    settled(
      [[[7, 5]]],
      [
        [
          [7, 4],
          [7, 1],
          [7, 0],
          [7, 2],
          [7, 3],
        ],
      ],
    ),
    { unordered: 1 },
  )
})

t.test('what arrived without a confirmation is counted', async (t) => {
  t.match(
    settled(
      [[[7, 1]]],
      [
        [
          [7, 0],
          [7, 1],
        ],
      ],
    ),
    { unconfirmed: 1 },
  )
})

t.test('the last confirmation of a producer counts, and half a pair does not', async (t) => {
  const file = join(t.testdir({}), 'confirmed')
  writeFileSync(
    file,
    Buffer.concat([Buffer.from(Uint32Array.of(7, 1, 7, 2).buffer), Buffer.alloc(5)]),
  )
  t.same(
    [...readPairs(file)],
    [
      [7, 1],
      [7, 2],
    ],
  )
  t.match(settle([file], []), { sent: 2, lost: 2 })
})

t.test('a message that differs in any byte, or in its type, is corrupt', async (t) => {
  const intact = compose(3, 1000)
  t.same(examine(intact), { producer: 3, sequence: 1000, intact: true })
  for (let at = 0; at < intact.data.length; at++) {
    const data = Buffer.from(intact.data)
    data[at] = (data[at] as number) ^ 1
    t.equal(examine(new Frame(intact.type, data)).intact, false, `byte ${at}`)
  }
  t.equal(examine(new Frame(Number(intact.type) + 1, intact.data)).intact, false)
  t.equal(examine(new Frame(intact.type, intact.data.subarray(0, -1))).intact, false)
  t.equal(examine(new Frame(1, Buffer.alloc(0))).intact, false)
})

t.test('a corrupt message is in the record as such', async (t) => {
  const file = join(t.testdir({}), 'received')
  const record = new ReceivedRecord(file, true)
  record.note(compose(3, 5))
  record.note(new Frame(1, Buffer.from('not one of ours')))
  record.close()
  t.same(
    [...readPairs(file)].map(([, sequence]) => sequence),
    [5, CORRUPT],
  )
  t.match(settle([], [file]), { corrupt: 1 })
})
