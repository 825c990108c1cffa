/** Lets `import 'kernelmq'` in this folder find the library around it. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { BENCH } from './paths.js'

/**
 * A link of our own and not a `file:..` dependency: for one of those, `npm ci`
 * would build the library anew, whatever `dist/` is to be measured.
 */
export function linkLibrary() {
  const link = `${BENCH}node_modules/kernelmq`
  if (existsSync(link)) return
  mkdirSync(`${BENCH}node_modules`, { recursive: true })
  symlinkSync('../..', link)
}
