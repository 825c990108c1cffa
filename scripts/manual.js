// Writes the manual page. Run it when a command or an option changes: npm run manual
import { writeFileSync } from 'node:fs'
import { manualPage } from '../dist/cli/manual.js'
import { buildWholeProgram } from '../dist/cli/program.js'

writeFileSync(new URL('../man/kmq.1', import.meta.url), manualPage(await buildWholeProgram()))
