import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Address, formatAddress, ftok, open, parseAddress, unlink } from 'kernelmq'
import { test } from 'tap'
import { openQueue, removeAfter } from './fixtures/queues.js'

const name = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..')
  .filter((text) => Buffer.byteLength(text) <= 255)
  .map((text) => ({ name: `/${text}` }))
const file = fc.record({
  file: fc.string({ minLength: 1 }).filter((text) => !text.includes('\0')),
  project: fc.integer({ min: 1, max: 255 }),
})
const addresses: fc.Arbitrary<Address> = fc.oneof(
  name,
  file,
  fc.nat().map((fd) => ({ fd })),
  fc.nat().map((id) => ({ id })),
  fc.integer({ min: 1, max: 2 ** 32 - 1 }).map((key) => ({ key })),
  fc.constant({ private: true as const }),
)

test('what is formatted is parsed to the same', async () => {
  fc.assert(
    fc.property(addresses, (address) => {
      const parsed = parseAddress(formatAddress(address))
      return JSON.stringify(parsed) === JSON.stringify(address)
    }),
  )
})

test('a string that parses formats to a canonical form, which stays', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), addresses.map(formatAddress)), (text) => {
      try {
        const canonical = formatAddress(parseAddress(text))
        return formatAddress(parseAddress(canonical)) === canonical
      } catch (error) {
        return /^ERR_/.test((error as NodeJS.ErrnoException).code ?? '')
      }
    }),
  )
})

const forms: [string, Address, string][] = [
  ['/logs', { name: '/logs' }, '/logs'],
  ['posix:/logs', { name: '/logs' }, '/logs'],
  ['posix:fd=3', { fd: 3 }, 'posix:fd=3'],
  ['0xDEADC0DE', { key: 0xdeadc0de }, 'sysv:0xdeadc0de'],
  ['3735928559', { key: 0xdeadbeef }, 'sysv:0xdeadbeef'],
  ['sysv:0xDEADC0DE', { key: 0xdeadc0de }, 'sysv:0xdeadc0de'],
  ['sysv:5', { key: 5 }, 'sysv:0x00000005'],
  ['-1', { key: 0xffffffff }, 'sysv:0xffffffff'],
  ['sysv:/srv/app.conf#42', { file: '/srv/app.conf', project: 42 }, 'sysv:/srv/app.conf#42'],
  ['sysv:/srv/a#b#c', { file: '/srv/a#b', project: 'c' }, 'sysv:/srv/a#b#c'],
  ['sysv:/srv/app.conf##', { file: '/srv/app.conf', project: '#' }, 'sysv:/srv/app.conf##'],
  ['sysv:/srv/app.conf#7', { file: '/srv/app.conf', project: 7 }, 'sysv:/srv/app.conf#7'],
  ['sysv:id=65536', { id: 65536 }, 'sysv:id=65536'],
  ['sysv:private', { private: true }, 'sysv:private'],
]
for (const [text, address, canonical] of forms) {
  test(`${text} is ${canonical}`, async (t) => {
    t.same(parseAddress(text), address)
    t.equal(formatAddress(address), canonical)
    t.equal(formatAddress(text), canonical)
  })
}

test('a number is a key, and its negative int32 form the same', async (t) => {
  t.equal(formatAddress(0xdeadc0de), 'sysv:0xdeadc0de')
  t.equal(formatAddress(0xdeadc0de - 2 ** 32), 'sysv:0xdeadc0de')
  t.equal(formatAddress({ key: -1 }), 'sysv:0xffffffff')
  t.equal(formatAddress(-(2 ** 31)), 'sysv:0x80000000')
})

test('the character of a digit is written as its code', async (t) => {
  t.equal(formatAddress({ file: '/x', project: '7' }), 'sysv:/x#55')
  t.equal(formatAddress({ file: '/x', project: 'a' }), 'sysv:/x#a')
})

for (const text of [
  '',
  'logs',
  '/',
  '//',
  '/a/b',
  '/.',
  '/..',
  '/a\0b',
  `/${'x'.repeat(256)}`,
  `/${'ü'.repeat(128)}`,
  'posix:',
  'posix:logs',
  'posix:fd=',
  'posix:fd=-1',
  'posix:fd=x',
  'sysv:',
  'sysv:logs',
  'sysv:id=',
  'sysv:id=-1',
  'sysv:#5',
  'sysv:/x#',
  'sysv:/x#ab',
  'sysv:/x#ü',
  '0x',
  '1e3',
  ' 5',
  'other:/x',
]) {
  test(`${JSON.stringify(text.slice(0, 12))} (${text.length}) is no address`, async (t) => {
    const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
    t.throws(() => parseAddress(text), refused)
    t.throws(() => open(text), refused)
  })
}

test('numbers out of range are refused', async (t) => {
  for (const text of [
    '0',
    '0x100000000',
    '4294967296',
    '-2147483649',
    'sysv:/x#0',
    'sysv:/x#256',
    'posix:fd=2147483648',
    'sysv:id=2147483648',
  ]) {
    t.throws(() => parseAddress(text), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }, text)
  }
  for (const key of [0, 1.5, Number.NaN, 2 ** 32, -(2 ** 31) - 1]) {
    t.throws(() => open(key), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => open({ key }), { code: 'ERR_OUT_OF_RANGE', message: /"address\.key"/ })
  }
})

test('a name of 255 bytes is the longest', async (t) => {
  const longest = `/kernelmq-test-${process.pid}-`.padEnd(256, 'x')
  removeAfter(t, longest)
  const queue = open(longest, { create: true, maxMessages: 1, maxMessageSize: 1 } as never)
  t.equal(queue.address, longest)
  await queue.close()
})

test('an object that names two addresses, or none, is refused', async (t) => {
  for (const address of [
    {},
    { name: '/x', key: 5 },
    { key: 1, id: 1 },
    { file: '/x' },
    { project: 1 },
    { fd: 3, name: '/x' },
    { private: false },
    { name: '/x', extra: 1 },
  ]) {
    t.throws(
      () => open(address as never),
      { code: 'ERR_INVALID_ARG_VALUE' },
      JSON.stringify(address),
    )
  }
})

test('a member of an address that is undefined is not given', async (t) => {
  t.equal(formatAddress({ name: '/x', key: undefined } as never), '/x')
  t.throws(() => formatAddress({ file: '/x', project: undefined } as never), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /it has file\./,
  })
})

test('unlink of what names no queue is ENOTSUP', async (t) => {
  t.throws(() => unlink({ fd: 3 }), { name: 'QueueError', code: 'ENOTSUP' })
  t.throws(() => unlink('sysv:private'), { name: 'QueueError', code: 'ENOTSUP' })
})

test('ftok', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kernelmq-ftok-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'file')
  writeFileSync(path, '')

  t.test('is what the C library makes of it', async (t) => {
    for (const project of [1, 42, 200, 255]) {
      const { dev, ino } = statSync(path, { bigint: true })
      const key = (BigInt(project) << 24n) | ((dev & 0xffn) << 16n) | (ino & 0xffffn)
      t.equal(ftok(path, project), Number(key))
    }
    t.equal(ftok(path, 'a'), ftok(path, 97))
    t.equal(ftok(path, '7'), ftok(path, 55))
  })

  t.test('tells devices apart', async (t) => {
    for (const path of ['/proc/version', '/dev/null', '/sys/kernel']) {
      const { dev, ino } = statSync(path, { bigint: true })
      t.equal(ftok(path, 42), Number((42n << 24n) | ((dev & 0xffn) << 16n) | (ino & 0xffffn)))
    }
  })

  t.test('agrees with ftok(3)', async (t) => {
    const source = join(folder, 'ftok.c')
    const program = join(folder, 'ftok')
    writeFileSync(
      source,
      `#include <stdio.h>
       #include <stdlib.h>
       #include <sys/ipc.h>
       int main(int n, char **v) { printf("%u", (unsigned)ftok(v[1], atoi(v[2]))); return n != 3; }`,
    )
    try {
      execFileSync('cc', ['-o', program, source], { stdio: 'ignore' })
    } catch {
      return t.comment('skipped: no C compiler here')
    }
    for (const project of [1, 42, 200, 255]) {
      const reference = execFileSync(program, [path, String(project)], { encoding: 'utf8' })
      t.equal(String(ftok(path, project)), reference)
    }
  })

  t.test('a missing file throws and is never key -1', async (t) => {
    const missing = join(folder, 'missing')
    t.throws(() => ftok(missing, 1), { name: 'QueueError', code: 'ENOENT', syscall: 'stat' })
    t.throws(() => open({ file: missing, project: 1 }, { create: true }), { code: 'ENOENT' })
    t.throws(() => unlink({ file: missing, project: 1 }), { code: 'ENOENT' })
  })

  t.test('a queue opened by file and project has that key', async (t) => {
    const address = `sysv:${path}#42`
    removeAfter(t, address)
    const queue = open({ file: path, project: 42 }, { create: true })
    t.equal(queue.key, ftok(path, 42))
    t.equal(queue.address, `sysv:0x${queue.key.toString(16).padStart(8, '0')}`)
    const again = open(address)
    await again.send('x')
    t.equal(queue.tryReceive()?.data.toString(), 'x')
    unlink(address)
    await queue.close()
    await again.close()
  })
})

test('the canonical string opens the queue again', async (t) => {
  for (const kind of ['posix', 'sysv'] as const) {
    const queue = openQueue(t, kind)
    const again = open(queue.address)
    t.equal(again.address, queue.address)
    await again.close()
  }
})
