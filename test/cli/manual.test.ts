import { readFileSync } from 'node:fs'
import t from 'tap'
import { manualPage } from '../../src/cli/manual.js'
import { buildWholeProgram } from '../../src/cli/program.js'
import { root } from '../fixtures/kmq.js'

const page = readFileSync(`${root}man/kmq.1`, 'utf8')

t.test('the manual page is that of the commands as they are: npm run manual', async (t) => {
  t.equal(manualPage(await buildWholeProgram()), page)
})

t.test('it has every command and option', async (t) => {
  for (const words of ['kmq recv', '\\-\\-framing', '\\-\\-long\\-lines', 'kmq limits plan']) {
    t.ok(page.includes(words), words)
  }
})
