import { readFileSync } from 'node:fs'
import t from 'tap'
import { buildWholeProgram, helpText } from '../../src/cli/program.js'
import { kmq } from '../fixtures/kmq.js'
import { openQueue, unusedAddress } from '../fixtures/queues.js'

const commands = (await buildWholeProgram()).commands.map((command) => command.name())

t.test('--help lists every command', async (t) => {
  const { code, text } = await kmq(t, ['--help'])
  t.equal(code, 0)
  for (const command of commands) t.match(text, new RegExp(`^  ${command} `, 'm'), command)
})

t.test(
  'it is what the commands say of themselves, though printed without asking them',
  async (t) => {
    const help = await helpText()
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, text } = await kmq(t, args)
      t.equal(text, help, args.join(' '))
      t.equal(code, 0)
    }
  },
)

for (const command of commands) {
  t.test(`${command} --help says what it takes`, async (t) => {
    const { code, text, stderr } = await kmq(t, [command, '--help'])
    t.equal(code, 0)
    t.match(text, `Usage: kmq ${command}`)
    t.match(text, '--quiet')
    t.equal(stderr, '')
  })
}

t.test('--version prints that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const { code, text } = await kmq(t, ['--version'])
  t.equal(code, 0)
  t.equal(text, `${version}\n`)
})

const wrong: [what: string, args: string[], says: string][] = [
  ['an unknown command', ['snd'], 'Did you mean'],
  ['an unknown option', ['recv', '/q', '--frming', 'raw'], 'Did you mean --framing?'],
  ['a missing queue', ['recv'], 'queue'],
  ['what cannot be an address', ['recv', 'logs'], 'address'],
  ['an unknown framing', ['recv', '/q', '--framing', 'xml'], 'line, null, json, length, raw'],
  ['a count of nothing', ['recv', '/q', '--count', '0'], 'at least 1'],
  ['a type that is no number', ['send', '/q', '--type', 'high', 'x'], 'integer'],
  ['permissions that are not octal', ['create', '/q', '--mode', '888'], 'octal'],
  ['nothing to set', ['set', '/q'], 'nothing to set'],
  ['arguments and a file', ['send', '/q', '--file', 'x', 'y'], '--file'],
  ['what only System V has', ['create', '/q', '--max-bytes', '100'], '--max-bytes is not for this'],
  [
    'what only POSIX has',
    ['create', '0x5', '--max-messages', '3'],
    '--max-messages is not for this',
  ],
  ['to create an identifier', ['recv', 'sysv:id=5', '--create'], '--create has no meaning'],
  ['a limit that cannot be', ['limits', 'set', 'msgmax=9999999999'], 'kmq: msgmax must be'],
  ['one of several that cannot be an address', ['rm', '0x5', 'logs'], 'address'],
  ['another one to look at', ['stat', '0x5', 'logs'], 'address'],
  ['an interval without end', ['top', '--json', '--interval', 'Infinity'], 'seconds up to'],
  ['an interval that no timer takes', ['top', '--json', '--interval', '3000000'], 'seconds up to'],
  ['packed records', ['send', '/q', '--pack', '--framing', 'json'], '--pack'],
]
for (const [what, args, says] of wrong) {
  t.test(`${what} is wrong usage: exit code 2 and one line`, async (t) => {
    const { code, stderr } = await kmq(t, args)
    t.equal(code, 2)
    t.match(stderr, says)
    t.match(stderr, /^kmq: [^\n]+\n$/)
  })
}

t.test('standard error that takes nothing changes no exit code', async (t) => {
  const address = unusedAddress(t, 'posix')
  await kmq(t, ['create', address, '--max-messages', '1'])
  const full = ['send', address, '--on-full', 'drop-new', 'kept', 'dropped']
  for (const [args, expected] of [
    [['recv'], 2],
    [['recv', 'logs'], 2],
    [full, 0],
  ] as const) {
    const command = ['sh', '-c', 'exec "$0" "$@" 2>/dev/full']
    t.equal((await kmq(t, args, { command })).code, expected, args.join(' '))
  }
})

t.test('what an existing queue does not take is named as an option of the command', async (t) => {
  const { address } = openQueue(t, 'posix')
  for (const [args, says] of [
    [['set', address, '--max-bytes', '5'], '--max-bytes is not for this kind of queue.'],
    [['send', address, '--type', '-5', 'x'], '--type must be a priority from 0 to 32767.'],
  ] as const) {
    t.match(await kmq(t, args), { code: 2, stderr: `kmq: ${says} Received ${args[3]}\n` })
  }
})

t.test('of several queues none is removed where one cannot be an address', async (t) => {
  const queue = openQueue(t, 'sysv')
  t.equal((await kmq(t, ['rm', queue.address, 'logs'])).code, 2)
  t.equal(queue.stats().messages, 0)
})

t.test('a new queue that nobody could find again is not made', async (t) => {
  for (const args of [
    ['send', 'sysv:private', 'x'],
    ['recv', 'sysv:private', '--create', '--drain'],
    ['stat', 'sysv:private'],
    ['rm', 'sysv:private'],
    ['bridge', 'sysv:private', 'nats://127.0.0.1:1/S'],
  ]) {
    const { code, stderr } = await kmq(t, args)
    t.equal(code, 2, args[0] as string)
    t.match(stderr, /^kmq: [^\n]*sysv:private[^\n]*\n$/)
  }
})

t.test('without a command the help is shown, as wrong usage', async (t) => {
  const { code, stderr } = await kmq(t, [])
  t.equal(code, 2)
  t.match(stderr, 'Usage: kmq')
})

t.test('a refusal of the kernel is exit code 1 and one line with queue and hint', async (t) => {
  const address = unusedAddress(t, 'posix')
  const { code, stderr } = await kmq(t, ['recv', address])
  t.equal(code, 1)
  t.match(stderr, /^kmq: [^\n]+\n$/)
  t.match(stderr, 'ENOENT')
  t.match(stderr, address)
  t.match(stderr, 'kmq create')
})

t.test('the hint of a limit is in the line', async (t) => {
  const args = ['create', unusedAddress(t, 'posix'), '--max-message-size', '2000000000']
  const { code, stderr } = await kmq(t, args)
  t.equal(code, 1)
  t.match(stderr, /^kmq: [^\n]+fs\.mqueue\.msgsize_max[^\n]+\n$/)
})

t.test('what only the other kind has is refused by the kernel, so to speak', async (t) => {
  const address = unusedAddress(t, 'posix')
  await kmq(t, ['create', address, '--max-messages', '2', '--max-message-size', '64'])
  for (const args of [
    ['peek', address],
    ['recv', address, '--type', '7'],
    ['recv', address, '--ack'],
  ]) {
    const { code, stderr } = await kmq(t, args)
    t.equal(code, 1, args.join(' '))
    t.match(stderr, /^kmq: [^\n]*ENOTSUP[^\n]*\n$/)
  }
})
