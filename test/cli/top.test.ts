import { readFileSync } from 'node:fs'
import t from 'tap'
import { peekLines } from '../../src/cli/top/peeking.js'
import { noNamespace, ownNamespace } from '../fixtures/child.js'
import { ended, kmq, main, printed, startKmq } from '../fixtures/kmq.js'
import { openQueue } from '../fixtures/queues.js'
import { noTerminal, Terminal } from '../fixtures/terminal.js'

const top = `'${process.execPath}' '${main}' top`

t.test('without a terminal one interval is printed, plainly', async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.trySend('hello')
  const { code, text } = await kmq(t, ['top', '--interval', '0.1', '--count', '1'])
  t.equal(code, 0)
  t.match(text, /^kmq top {2}\d\d:\d\d:\d\d {3}\d+ queues? \(/)
  t.match(text, /^QUEUE +MESSAGES +BYTES +FILL +OVER TIME +IN\/s +OUT\/s +BLOCKED/m)
  t.match(text, new RegExp(`^${queue.address} +1 +5 B `, 'm'))
  t.notMatch(text, '\x1b')
})

t.test('--json prints an object with all queues', async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.trySend('hello')
  const { text } = await kmq(t, ['top', '--json'])
  const { time, queues } = JSON.parse(text)
  t.ok(Date.parse(time))
  const row = queues.find(({ address }: { address: string }) => address === queue.address)
  t.match(row, {
    kind: 'sysv',
    messages: 1,
    bytes: 5,
    fill: Number,
    inPerSecond: 0,
    outPerSecond: 0,
    sending: false,
    history: [1],
    blocked: { senders: 0, receivers: 0 },
    sender: { pid: process.pid, alive: true },
    receiver: null,
  })
})

t.test('with --interval it goes on, and sees what comes and goes', async (t) => {
  const queue = openQueue(t, 'sysv')
  const child = startKmq(t, ['top', '--json', '--interval', '0.2'])
  const result = ended(child)
  await printed(child.stdout, queue.address)
  queue.trySend('hello')
  await printed(child.stdout, '"sending":true')
  queue.tryReceive()
  await printed(child.stdout, '"receiving":true')
  child.kill('SIGTERM')
  t.equal((await result).code, 143)
})

t.test('processes that wait, and such as are dead, are told', async (t) => {
  const queue = openQueue(t, 'sysv')
  const sent = await kmq(t, ['send', queue.address, 'x'])
  t.equal(sent.code, 0)
  queue.tryReceive()
  const waiting = queue.receive({ type: 7 })
  const { text } = await kmq(t, ['top', '--json', '--interval', '0.1', '--count', '1'])
  const row = JSON.parse(text).queues.find(
    ({ address }: { address: string }) => address === queue.address,
  )
  t.match(row.sender, { alive: false, command: null })
  t.match(row.receiver, { pid: process.pid, alive: true })
  // /proc/PID/syscall is there on the architectures that are known, for our own processes.
  if (process.arch === 'x64' || process.arch === 'arm64') t.equal(row.blocked.receivers, 1)
  queue.trySend('done', { type: 7 })
  await waiting
})

t.test('a POSIX queue, which cannot be looked into, is closed again', async (t) => {
  const queue = openQueue(t, 'posix')
  t.match(
    peekLines(() => queue as never, queue.address, 5),
    [/cannot be looked into/],
  )
  t.throws(() => queue.stats(), { code: 'ERR_QUEUE_CLOSED' })
})

t.test('on a terminal', { skip: noTerminal }, async (t) => {
  t.test('it is live, and keys sort, filter, peek and quit', async (t) => {
    const [first, second] = [openQueue(t, 'sysv'), openQueue(t, 'sysv')]
    for (const data of ['peeked at', 'and this']) first.trySend(data)
    const terminal = await new Terminal().start(t, `${top} --interval 0.2`)
    await terminal.shows(new RegExp(`${first.address} +2 `))
    first.trySend('more')
    await terminal.shows(new RegExp(`${first.address} +3 `))

    await terminal.press('s')
    await terminal.shows(/IN\/s▼/)
    await terminal.press('r')
    await terminal.shows(/IN\/s▲/)

    await terminal.press('/', first.address.slice(-6))
    await terminal.shows(new RegExp(`filter: ${first.address.slice(-6)}_`))
    const filtered = await terminal.shows(new RegExp(`❯ ${first.address}`))
    t.notMatch(filtered, second.address)
    await terminal.press('Enter')
    await terminal.press('p')
    const peeked = await terminal.shows(/First messages of/)
    t.match(peeked, 'type 1, 9 bytes: peeked at')
    await terminal.press('p')
    await terminal.shows(/QUEUE +MESSAGES/)
    t.equal(first.stats().messages, 3)

    await terminal.press('q')
    const left = await terminal.shows(/exit code/)
    t.match(left, 'exit code 0')
    t.notMatch(left, 'kmq top')
  })

  t.test('it follows the size of the terminal', async (t) => {
    const queue = openQueue(t, 'sysv')
    const terminal = await new Terminal().start(t, `${top} --interval 0.2`, 170, 24)
    t.match(await terminal.shows(/q quit/), 'LAST RECEIVER')
    await terminal.resize(80, 12)
    const small = await terminal.shows(/^(?!.*LAST RECEIVER).*QUEUE +MESSAGES/m)
    // A line too long would go on in the next one, and push the first out.
    const shown = small.split('\n')
    t.match(shown[0], /^kmq top/)
    t.equal(shown.filter((line) => line.includes(queue.address.slice(0, 10))).length, 1)
  })

  t.test('a name does not command it', { skip: noNamespace }, async (t) => {
    const script = `mount -t mqueue none /mnt && touch "/mnt/$(printf 'a\\033[2Jb')" && ${top}`
    const quoted = `${ownNamespace.join(' ')} sh -c "${script.replace(/["$\\]/g, '\\$&')}"`
    const terminal = await new Terminal().start(t, quoted)
    const screen = await terminal.shows(/q quit/)
    t.match(screen, '/a\\x1b[2Jb')
  })

  t.test(
    '1,000 queues do not flicker: only what changes is drawn',
    { skip: noNamespace },
    async (t) => {
      const make = `for (let key = 1; key <= 1000; key++) (await import('kernelmq')).open(key, { create: true })`
      const script = `'${process.execPath}' --input-type=module -e '${make.replaceAll("'", '"')}' && ${top} --interval 0.2`
      const log = `${t.testdir()}/typescript`
      const shell = `${ownNamespace.join(' ')} script -q -f -c "${script.replace(/["$\\]/g, '\\$&')}" ${log}`
      const terminal = await new Terminal().start(t, shell)
      await terminal.shows(/1000 queues/)
      await terminal.press('End')
      await terminal.shows(/❯ sysv:0x000003e8/)
      await terminal.press('q')
      await terminal.shows(/exit code 0/)
      const written = readFileSync(log, 'utf8')
      // Never the whole screen erased, the cause of flicker.
      t.notMatch(written, '\x1b[2J')
      t.equal(written.split('\x1b[?1049h').length, 2)
      // Drawn anew at every interval and key, but for what is the same.
      t.equal(written.split('q quit').length, 2)
    },
  )
})
