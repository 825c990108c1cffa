// Writes the manual page. Run it when a command or an option changes: npm run manual
import { writeFileSync } from 'node:fs'
import { manualPage } from '../src/cli/manual.js'
import { buildWholeProgram } from '../src/cli/program.js'

writeFileSync(new URL('../man/kmq.1', import.meta.url), manualPage(await buildWholeProgram()))
