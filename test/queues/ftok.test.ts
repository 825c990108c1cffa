/** The System V key of a file: what stands in the way of one. */
import { ftok, open } from 'kernelmq'
import { test } from 'tap'

test('a missing file is a QueueError, and never becomes key -1', (t) => {
  const expected = {
    name: 'QueueError',
    code: 'ENOENT',
    syscall: 'stat',
    address: 'sysv:/no/such/file#42',
  }
  t.throws(() => ftok('/no/such/file', 42), expected)
  t.throws(() => open({ file: '/no/such/file', project: 42 }, { create: true }), expected)
  t.end()
})
