/** The program that valgrind runs is also run without it. */
import { test } from 'tap'
import { startFile } from './fixtures/processes.js'
import { kinds, openQueue } from './fixtures/queues.js'

test('the program that drives all of the addon comes to a good end', async (t) => {
  const addresses = kinds.map((kind) => openQueue(t, kind).address)
  const { code, stdout, stderr } = await startFile(t, 'drive.mjs', addresses).outcome
  t.equal(code, 0, stderr)
  t.equal(stdout, 'driven\n')
})
