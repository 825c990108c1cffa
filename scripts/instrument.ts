/** The addon built with instruments (see binding.gyp), in a folder of its own beside the plain build. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Instrument = 'address' | 'thread' | 'coverage' | 'warnings'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** The folder, whose build/Release has the addon. */
export function buildInstrumented(instrument: Instrument): string {
  const folder = join(root, 'build', 'instrumented', instrument)
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(root, 'binding.gyp'), join(folder, 'binding.gyp'))
  for (const name of ['src', 'node_modules', 'package.json']) {
    if (!existsSync(join(folder, name))) symlinkSync(join(root, name), join(folder, name))
  }
  const nodeGyp = join(root, 'node_modules', '.bin', 'node-gyp')
  execFileSync(nodeGyp, ['configure', 'build', '--silent', '-C', folder], {
    env: { ...process.env, KERNELMQ_INSTRUMENT: instrument },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return folder
}

/** What makes node-gyp-build load the addon from that folder. */
export function loadsFrom(folder: string): NodeJS.ProcessEnv {
  return { KERNELMQ_PREBUILD: folder }
}
