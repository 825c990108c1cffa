// Bundles src/ into dist/: a file for each entry, and what they share in chunks. Node needs as long to
// find, read and link 45 small modules as to load readable-stream. Dependencies stay outside.
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

rmSync(`${root}/dist`, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: ['index', 'pino', 'nats', 'cli/main', 'cli/program', 'cli/demo/reader'].map(
    (name) => `src/${name}.ts`,
  ),
  outdir: 'dist',
  outbase: 'src',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
})

const { helpText } = await import(`${root}/dist/cli/program.js`)
writeFileSync(`${root}/dist/cli/help.txt`, await helpText())
