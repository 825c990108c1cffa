/** What is different where standard output or standard error is a terminal. */
import t from 'tap'
import { main } from '../fixtures/kmq.js'
import { fill, openQueue } from '../fixtures/queues.js'
import { noTerminal, Terminal } from '../fixtures/terminal.js'

const kmq = `'${process.execPath}' '${main}'`

t.test('control characters and broken UTF-8 are escaped', { skip: noTerminal }, async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.trySend('clear \x1b[2J bell \x07 back \r C1 \u009b tr\u00e8s')
  queue.trySend(Buffer.from([0x61, 0xff, 0xc3, 0x62]))
  const terminal = await new Terminal().start(t, `${kmq} recv ${queue.address} --drain`)
  const screen = await terminal.shows(/exit code 0/)
  t.match(screen, 'clear \\x1b[2J bell \\x07 back \\x0d C1 \\x9b tr\u00e8s\na\\xff\\xc3b\n')
})

t.test('they are escaped in JSON too', { skip: noTerminal }, async (t) => {
  const queue = openQueue(t, 'sysv')
  queue.trySend('\u009b\x7f')
  const args = `recv ${queue.address} --drain --framing json`
  const terminal = await new Terminal().start(t, `${kmq} ${args}`)
  t.match(await terminal.shows(/exit code 0/), '"data":"\\u009b\\u007f"')
})

t.test(
  'send --progress shows how it goes and what it waits for',
  { skip: noTerminal },
  async (t) => {
    const queue = openQueue(t, 'sysv')
    const filled = fill(queue)
    const terminal = await new Terminal().start(t, `${kmq} send ${queue.address} --progress`)
    await terminal.shows(/0 B, 0 lines, 0 B\/s, \d+ queued, waiting for input/)
    await terminal.press('hello', 'Enter')
    await terminal.shows(/6 B, 1 line, .* queued, waiting for room in the queue/)
    for (let i = 0; i < filled; i++) queue.tryReceive()
    await terminal.shows(/waiting for input/)
    await terminal.press('C-d')
    t.match(await terminal.shows(/exit code 0/), /6 B, 1 line, .* in \d+\.\d s/)
  },
)

t.test('recv --progress waits for messages', { skip: noTerminal }, async (t) => {
  const queue = openQueue(t, 'sysv')
  const args = `recv ${queue.address} --progress > /dev/null`
  const terminal = await new Terminal().start(t, `${kmq} ${args}`)
  await terminal.shows(/0 queued, waiting for messages/)
  queue.trySend('hello')
  await terminal.shows(/6 B, 1 line, /)
  await terminal.press('C-c')
  await terminal.shows(/exit code 0/)
})

t.test('top has colours, and with NO_COLOR none', { skip: noTerminal }, async (t) => {
  const queue = openQueue(t, 'sysv')
  fill(queue)
  const red = /\x1b\[[\d;]*31m/
  const colored = await new Terminal().start(t, `${kmq} top`)
  await colored.shows(new RegExp(queue.address))
  t.match(await colored.coloredScreen(), red)
  const plain = await new Terminal().start(t, `NO_COLOR=1 ${kmq} top`)
  await plain.shows(new RegExp(queue.address))
  t.notMatch(await plain.coloredScreen(), red)
})
