/** Whether waiting keeps the process alive: `ref()` and `unref()`. */
import { type Test, test } from 'tap'
import { type Package, runChild } from '../fixtures/child.js'
import { drain, type Kind, kinds, openQueue } from '../fixtures/queues.js'

/**
 * Runs a child that waits in some way and says on `told` that it does; gives it a message then, and
 * returns what it says of it, or undefined where it has ended without.
 */
async function answer(
  t: Test,
  kind: Kind,
  wait: (kernelmq: Package, address: string, told: string) => void,
): Promise<string | undefined> {
  const queue = openQueue(t, kind)
  const told = openQueue(t, kind)
  const running = runChild(wait, { args: [queue.address, told.address] })
  t.equal((await told.receive({ timeout: 60_000 })).data.toString(), 'waiting')
  await queue.send('message')
  const { code, signal, stderr } = await running
  t.same([code, signal, stderr], [0, null, ''])
  return told.tryReceive()?.data.toString()
}

/** Runs a child that waits in some way without being kept alive by it, and must end by itself. */
async function ends(
  t: Test,
  kind: Kind,
  wait: (kernelmq: Package, address: string) => void,
): Promise<void> {
  const queue = openQueue(t, kind)
  const { code, signal, stderr } = await runChild(wait, { args: [queue.address] })
  t.same([code, signal, stderr], [0, null, ''])
}

for (const kind of kinds) {
  test(`${kind}: keeping the process alive`, async (t) => {
    t.test('receive does, also after unref and ref', async (t) => {
      const said = await answer(t, kind, ({ open }, address, told) => {
        const answers = open(told)
        const queue = open(address)
        queue.unref()
        queue.receive().then(({ data }) => answers.trySend(`got ${data}`))
        queue.ref()
        answers.trySend('waiting')
      })
      t.equal(said, 'got message')
    })

    t.test("receive does, also where an unref'd reader waits already", async (t) => {
      const said = await answer(t, kind, ({ open }, address, told) => {
        const answers = open(told)
        const queue = open(address)
        const reader = queue.readable().unref()
        reader.on('data', ({ data }) => {
          answers.trySend(`got ${data}`)
          queue.close()
        })
        // By then the reader's wait has begun, which comes first.
        setTimeout(() => {
          queue.receive().catch(() => {})
          answers.trySend('waiting')
        }, 20)
      })
      t.equal(said, 'got message')
    })

    // Here the timer does not keep it alive: what waits has to, or the child says that it ends.
    t.test('a readable does, after unref and ref too', async (t) => {
      const said = await answer(t, kind, ({ open }, address, told) => {
        const answers = open(told)
        const readable = open(address).readable()
        readable.unref().ref()
        readable.on('data', ({ data }) => {
          answers.trySend(`got ${data}`)
          readable.destroy()
        })
        setTimeout(() => answers.trySend('waiting'), 20).unref()
        process.on('exit', () => answers.trySend('ended'))
      })
      t.equal(said, 'got message')
    })

    t.test('a consumer does, after unref and ref too', async (t) => {
      const said = await answer(t, kind, ({ open }, address, told) => {
        const answers = open(told)
        const consumer = open(address).consumer()
        consumer.unref().ref()
        consumer.on('message', ({ data }) => {
          answers.trySend(`got ${data}`)
          consumer.close()
        })
        setTimeout(() => answers.trySend('waiting'), 20).unref()
        process.on('exit', () => answers.trySend('ended'))
      })
      t.equal(said, 'got message')
    })

    t.test('nothing is left waiting where all were served while one came', async (t) => {
      const queue = openQueue(t, kind)
      const told = openQueue(t, kind)
      const { code, signal, stderr } = await runChild(
        ({ open }, address, told) => {
          const answers = open(told)
          const queue = open(address)
          const reader = queue.readable({ highWaterMark: 1 })
          reader.once('data', ({ data }) => {
            answers.trySend(`reader ${data}`)
            reader.destroy()
            queue.receive().then(({ data }) => answers.trySend(`third ${data}`))
          })
          setTimeout(() => {
            queue.receive().then(({ data }) => answers.trySend(`second ${data}`))
            const sender = open(address)
            for (const word of ['a', 'b', 'c']) sender.trySend(word)
          }, 20)
        },
        { args: [queue.address, told.address] },
      )
      t.same([code, signal, stderr], [0, null, ''])
      t.same(
        drain(told).map(([, text]) => text),
        ['reader a', 'second b', 'third c'],
      )
    })

    t.test('after unref nothing does that waits on the queue', async (t) => {
      await ends(t, kind, ({ open }, address) => {
        const queue = open(address)
        if (queue.unref() !== queue) throw new Error('unref() returns the queue')
        queue.receive()
        queue.receive({ timeout: 1_000_000 })
        queue.readable().resume()
        queue.duplex().resume()
        queue.consumer().on('message', () => {})
        queue.demultiplex().readable(1).resume()
        const full = open(address).unref()
        while (full.trySend(Buffer.alloc(256)));
        full.send(Buffer.alloc(256))
      })
    })

    t.test('unref works while somebody waits', async (t) => {
      await ends(t, kind, ({ open }, address) => {
        const queue = open(address)
        queue.receive()
        queue.readable().resume()
        queue.consumer().on('message', () => {})
        queue.demultiplex().readable(1).resume()
        if (queue.kind === 'posix') queue.notify()
        setTimeout(() => queue.unref(), 1)
      })
    })

    t.test('after unref the time limit of a wait does not either', async (t) => {
      await ends(t, kind, ({ open }, address) => {
        const queue = open(address)
        if (queue.unref().ref() !== queue) throw new Error('ref() returns the queue')
        queue.unref().receive({ timeout: 30_000 })
        setTimeout(() => process.exit(9), 5000).unref()
      })
    })

    t.test('unref works while a send waits', async (t) => {
      await ends(t, kind, ({ open }, address) => {
        const queue = open(address)
        while (queue.trySend(Buffer.alloc(256)));
        queue.send(Buffer.alloc(256))
        setTimeout(() => queue.unref(), 1)
        setTimeout(() => process.exit(9), 5000).unref()
      })
    })

    t.test('unref of a readable and of a consumer is for these', async (t) => {
      await ends(t, kind, ({ open }, address) => {
        const queue = open(address)
        queue.readable().unref().resume()
        const consumer = queue.consumer()
        consumer.on('message', () => {})
        setTimeout(() => consumer.unref(), 1)
      })
    })
  })
}
