/** A plan in plain words, with the lines to paste. */
import { isBeyond, type Need, type Plan } from '../plan.js'
import { formatBytes } from './queue.js'
import { formatTable } from './table.js'

const kinds = { posix: 'POSIX', sysv: 'System V' }

export function formatPlan(plan: Plan): string {
  const { kind, messages, size, bytes, queues, needs, enough, create } = plan
  const what = `${queues === 1 ? 'a queue' : `${queues} queues`} of ${messages} messages of ${size} bytes`
  const lacking = needs.filter((need) => !need.enough)
  const possible = !needs.some(isBeyond)
  const verdict = enough
    ? 'The limits allow it as they are.'
    : `${lacking.length === 1 ? 'One limit is' : `${lacking.length} limits are`} too low: ${lacking
        .map(({ name }) => name)
        .join(', ')}.`
  return [
    `${kinds[kind]}: ${what} (${formatBytes(bytes)} of data). ${verdict}\n`,
    '\n',
    formatTable(columns, needs.map(rowOf)),
    ...(enough ? [] : ['\n', ...linesToPaste(lacking.filter((need) => !isBeyond(need)))]),
    ...(possible ? ['\n', `${enough ? 'Create it' : 'Then create it'}:\n`, `  ${create}\n`] : []),
  ].join('')
}

const columns = [
  { title: 'LIMIT' },
  { title: 'NOW', align: 'right' as const },
  { title: 'NEEDED', align: 'right' as const },
  { title: '' },
  { title: 'HOW MANY' },
]

function rowOf(need: Need): string[] {
  const { name, now, needed, enough, meaning } = need
  const value = Number.isFinite(now) ? String(now) : 'unlimited'
  const low = isBeyond(need) ? 'more than the kernel can' : 'too low'
  return [name, value, String(needed), enough ? 'enough' : low, meaning]
}

function linesToPaste(lacking: readonly Need[]): string[] {
  const sysctls = lacking.filter(({ name }) => name !== RLIMIT)
  const rlimit = lacking.find(({ name }) => name === RLIMIT)
  return [
    ...(sysctls.length > 0 ? sysctlLines(sysctls) : []),
    ...(rlimit ? rlimitLines(rlimit.needed) : []),
  ]
}

const RLIMIT = 'RLIMIT_MSGQUEUE'

function sysctlLines(needs: readonly Need[]): string[] {
  return [
    'Now, as root:\n',
    ...needs.map(({ name, needed }) => `  sysctl -w ${name}=${needed}\n`),
    'At every boot, in /etc/sysctl.d/60-kernelmq.conf:\n',
    ...needs.map(({ name, needed }) => `  ${name} = ${needed}\n`),
  ]
}

function rlimitLines(bytes: number): string[] {
  return [
    'For the users who log in, in /etc/security/limits.d/60-kernelmq.conf:\n',
    `  *     -  msgqueue  ${bytes}\n`,
    `  root  -  msgqueue  ${bytes}\n`,
    'For a service, in its systemd unit under [Service]:\n',
    `  LimitMSGQUEUE=${bytes}\n`,
    'For a shell, as far as its hard limit goes:\n',
    `  ulimit -q ${bytes}\n`,
  ]
}
