/** The system's limits lowered and raised while streams run, in an IPC namespace of their own. */
import t from 'tap'
import { inChild, noNamespace, ownNamespace } from './fixtures/child.js'

t.test(
  'msgmax raised: a reader opened before takes the longer messages whole',
  { skip: noNamespace },
  async (t) => {
    const lengths = await inChild(
      async ({ open, setLimits }) => {
        const queue = open({ private: true }, { create: true })
        const reader = queue.readable()
        const lengths: number[] = []
        const all = new Promise<void>((resolve) => {
          reader.on('data', ({ data }) => {
            lengths.push(data.every((byte: number) => byte === 7) ? data.length : -1)
            if (lengths.length === 4) resolve()
          })
        })
        await queue.send(Buffer.alloc(100, 7))
        setLimits({ sysv: { msgmax: 200_000, msgmnb: 400_000 } })
        queue.configure({ maxBytes: 400_000 })
        for (const length of [200_000, 1, 150_000]) await queue.send(Buffer.alloc(length, 7))
        await all
        queue.unlink()
        await queue.close().catch(() => {})
        return lengths
      },
      { command: ownNamespace },
    )
    t.same(lengths, [100, 200_000, 1, 150_000])
  },
)

t.test(
  'msgmax lowered: what is longer is EMSGSIZE with a hint, what is queued arrives',
  { skip: noNamespace },
  async (t) => {
    const outcome = await inChild(
      async ({ open, setLimits }) => {
        const queue = open({ private: true }, { create: true })
        await queue.send(Buffer.alloc(8000, 7))
        setLimits({ sysv: { msgmax: 1000 } })
        const refused = await queue.send(Buffer.alloc(1001)).catch((error) => error)
        await queue.send(Buffer.alloc(1000))
        let peeked = ''
        try {
          queue.peek()
        } catch (error) {
          peeked = (error as { hint: string }).hint
        }
        const lengths = [await queue.receive(), await queue.receive()].map(
          ({ data }) => data.length,
        )
        queue.unlink()
        return { code: refused.code, hint: refused.hint, peeked, lengths }
      },
      { command: ownNamespace },
    )
    t.match(outcome, {
      code: 'EMSGSIZE',
      hint: /kernel\.msgmax 1000/,
      peeked: /kernel\.msgmax was lowered to 1000/,
      lengths: [8000, 1000],
    })
  },
)

t.test(
  'limits that move all the time lose and damage nothing',
  { skip: noNamespace },
  async (t) => {
    const outcome = await inChild(
      async ({ open, setLimits }) => {
        const queue = open({ private: true }, { create: true })
        const wide = () => {
          setLimits({ sysv: { msgmax: 60_000, msgmnb: 60_000 } })
          queue.configure({ maxBytes: 60_000 })
        }
        const narrow = () => {
          queue.configure({ maxBytes: 20_000 })
          setLimits({ sysv: { msgmax: 4_000 } })
        }
        const COUNT = 4000
        let received = 0
        let damaged = 0
        let refused = 0
        const done = new Promise<void>((resolve) => {
          queue.readable().on('data', ({ data }) => {
            if (data.readUInt32LE(0) !== received || data.length !== data.readUInt32LE(4)) damaged++
            received++
            if (received === COUNT) resolve()
          })
        })
        for (let sent = 0; sent < COUNT; ) {
          if (sent % 100 === 0) wide()
          if (sent % 100 === 50) narrow()
          const length = sent % 7 === 0 ? 30_000 : 100
          const data = Buffer.alloc(length)
          data.writeUInt32LE(sent, 0)
          data.writeUInt32LE(length, 4)
          try {
            await queue.send(data)
          } catch (error) {
            if ((error as { code: string }).code !== 'EMSGSIZE') throw error
            refused++
            data.writeUInt32LE(100, 4)
            await queue.send(data.subarray(0, 100))
          }
          sent++
        }
        await done
        queue.unlink()
        await queue.close().catch(() => {})
        return { received, damaged, refused: refused > 0 }
      },
      { command: ownNamespace },
    )
    t.same(outcome, { received: 4000, damaged: 0, refused: true })
  },
)

t.test(
  'msg_max below msg_default: a queue with one size given gets what the kernel would take',
  { skip: noNamespace },
  async (t) => {
    const sizes = await inChild(
      ({ open, setLimits, unlink }) => {
        setLimits({ posix: { msg_max: 5, msgsize_max: 200 } })
        const sizes = [{}, { maxMessageSize: 100 }, { maxMessages: 2 }].map((given) => {
          const queue = open('/usual', { create: true, ...given })
          unlink('/usual')
          return [queue.maxMessages, queue.maxMessageSize]
        })
        return sizes
      },
      // Not root over the limits, which it could pass.
      { command: [...ownNamespace, 'setpriv', '--bounding-set', '-sys_resource'] },
    )
    t.same(sizes, [
      [5, 200],
      [5, 100],
      [2, 200],
    ])
  },
)
