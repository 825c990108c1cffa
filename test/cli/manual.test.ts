import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { root } from '../fixtures/kmq.js'

const page = readFileSync(`${root}man/kmq.1`, 'utf8')

t.test('the manual page is that of the commands as they are: npm run manual', async (t) => {
  const script = `
    import { manualPage } from './dist/cli/manual.js'
    import { buildWholeProgram } from './dist/cli/program.js'
    process.stdout.write(manualPage(await buildWholeProgram()))`
  const args = ['--input-type=module', '-e', script]
  t.equal(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }), page)
})

t.test('it has every command and option', async (t) => {
  for (const words of ['kmq recv', '\\-\\-framing', '\\-\\-long\\-lines', 'kmq limits plan']) {
    t.ok(page.includes(words), words)
  }
})
