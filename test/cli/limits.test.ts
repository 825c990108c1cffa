import { limits } from 'kernelmq'
import t from 'tap'
import { noNamespace, ownNamespace } from '../fixtures/child.js'
import { kmq } from '../fixtures/kmq.js'

t.test('limits prints what the system allows and what is in use', async (t) => {
  const { code, text } = await kmq(t, ['limits'])
  t.equal(code, 0)
  t.match(text, new RegExp(`^kernel\\.msgmax +${limits().sysv.msgmax} B `, 'm'))
  t.match(text, /^RLIMIT_MSGQUEUE +/m)
})

t.test('limits --json prints them as limits() has them', async (t) => {
  const { text } = await kmq(t, ['limits', '--json'])
  const { used: _, ...sysv } = limits().sysv
  t.match(JSON.parse(text), { sysv, posix: JSON.parse(JSON.stringify(limits().posix)) })
})

t.test('limits set writes sysctls', { skip: noNamespace }, async (t) => {
  const script =
    '"$0" "$1" limits set msgmnb=65536 fs.mqueue.msg_max=20 && cat /proc/sys/kernel/msgmnb /proc/sys/fs/mqueue/msg_max'
  const { code, text } = await kmq(t, [], { command: [...ownNamespace, 'sh', '-c', script] })
  t.equal(code, 0)
  t.equal(text, '65536\n20\n')
})

t.test('limits set refuses what is no limit', async (t) => {
  const { code, stderr } = await kmq(t, ['limits', 'set', 'shmmax=1'])
  t.equal(code, 2)
  t.match(stderr, /^kmq: "shmmax=1" is not NAME=NUMBER[^\n]+\n$/)
})

const lines = [
  'sysctl -w fs.mqueue.msg_max=1000',
  'fs.mqueue.msg_max = 1000',
  '*     -  msgqueue  1120000',
  'LimitMSGQUEUE=1120000',
  'ulimit -q 1120000',
  'kmq create /NAME --max-messages 1000 --max-message-size 1024',
]
t.test('limits plan prints the lines to paste', { skip: noNamespace }, async (t) => {
  const args = ['limits', 'plan', '--messages', '1000', '--size', '1K', '--kind', 'posix']
  const { code, text } = await kmq(t, args, {
    command: [...ownNamespace, 'prlimit', '--msgqueue=819200'],
  })
  t.equal(code, 0)
  t.match(text, '2 limits are too low: fs.mqueue.msg_max, RLIMIT_MSGQUEUE.')
  for (const line of lines) t.ok(text.split('\n').includes(`  ${line}`), line)
})

t.test('what limits plan says is enough', { skip: noNamespace }, async (t) => {
  const script = [
    '"$0" "$1" limits plan --messages 20 --size 4096 > plan',
    'sed -n "s/^  \\(sysctl -w .*\\)/\\1/p" plan | sed "s/sysctl -w //" | xargs "$0" "$1" limits set --quiet',
    '"$0" "$1" create /planned --max-messages 20 --max-message-size 4096',
    '"$0" "$1" create 0x77 --max-bytes 81920',
    '"$0" "$1" limits plan --messages 20 --size 4096',
  ].join(' && ')
  const command = [...ownNamespace, 'sh', '-c', `cd ${t.testdir()} && ${script}`]
  const { code, text } = await kmq(t, [], { command })
  t.equal(code, 0)
  t.match(text, '/planned\nsysv:0x00000077\n')
  t.equal(text.split('The limits allow it as they are.').length, 3)
})

t.test(
  'limits plan says what no setting allows, and prints no line that the kernel refuses',
  async (t) => {
    for (const [kind, more, name] of [
      ['posix', ['--messages', '65537', '--size', '8'], 'fs.mqueue.msg_max'],
      ['posix', ['--messages', '1', '--size', '16777217'], 'fs.mqueue.msgsize_max'],
      ['sysv', ['--messages', '1', '--size', '8', '--queues', '40000'], 'kernel.msgmni'],
      ['sysv', ['--messages', '1', '--size', '3G'], 'kernel.msgmnb'],
    ] as const) {
      const { text } = await kmq(t, ['limits', 'plan', '--kind', kind, ...more])
      t.match(text, new RegExp(`${name}.*more than the kernel can`))
      t.notMatch(text, `sysctl -w ${name}`)
      t.notMatch(text, 'kmq create')
    }
  },
)

t.test('limits plan --json says the same to programs', async (t) => {
  const args = ['limits', 'plan', '--messages', '10', '--size', '64', '--json']
  const plans = JSON.parse((await kmq(t, args)).text)
  t.match(plans, [
    { kind: 'posix', messages: 10, size: 64, queues: 1, bytes: 640, create: String },
    { kind: 'sysv', needs: [{ name: 'kernel.msgmax', needed: 64, enough: Boolean, now: Number }] },
  ])
})
