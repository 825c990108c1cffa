/** Lines cut into messages, and what is written for these: in memory, however the input comes. */
import fc from 'fast-check'
import { Frame } from 'kernelmq'
import t from 'tap'
import { type Message, makeCutter } from '../../src/cli/framing/cutter.js'
import { makeWriter } from '../../src/cli/framing/writer.js'

const LONGEST = 24

/** Pieces of what makes lines, long ones and such as begin with our mark; joined, they are the input. */
const pieces = fc.array(
  fc
    .array(fc.constantFrom('\n', '\n', 'a', 'bc', '\x10\x02', '\x10', 'x'.repeat(11)), {
      maxLength: 8,
    })
    .map((words) => Buffer.from(words.join(''))),
  { maxLength: 12 },
)

for (const pack of [false, true]) {
  t.test(
    `${pack ? 'packed' : 'line by line'}: what is written is what came, in any pieces`,
    async (t) => {
      const write = makeWriter('line', false)
      fc.assert(
        fc.property(pieces, fc.integer({ min: 4, max: LONGEST }), (chunks, best) => {
          const tally = { split: 0, truncated: 0 }
          const cutter = makeCutter(
            {
              framing: 'line',
              pack,
              longLines: 'split',
              exactEnd: true,
              longest: LONGEST,
              best,
              takesType: () => true,
            },
            tally,
          )
          const written: Buffer[] = []
          const receive = (messages: Iterable<Message>) => {
            for (const { data } of messages) {
              if (data.length === 0 || data.length > LONGEST)
                throw new Error(`${data.length} bytes`)
              // Messages are good until the next chunk.
              written.push(...write(new Frame(1, Buffer.from(data))))
            }
          }
          for (const chunk of chunks) {
            const passing = Buffer.from(chunk)
            receive(cutter.cut(passing))
            passing.fill('?')
          }
          receive(cutter.end())
          return Buffer.concat(written).equals(Buffer.concat(chunks))
        }),
        { numRuns: 2000 },
      )
      t.pass('2,000 inputs')
    },
  )
}
