/** What `npm pack` would publish: all that a user needs, and nothing else. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Packed {
  files: { path: string }[]
}

const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
})
const [packed] = JSON.parse(output) as [Packed]
const files = packed.files.map(({ path }) => path)
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

/** What the manifest points to. */
const targets = [
  manifest.types,
  ...Object.values(manifest.bin as object),
  ...Object.values(manifest.exports as object).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  ),
].map((path: string) => path.replace(/^\.\//, ''))

const sources = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).map(
  (path) => `src/${path}`,
)

const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8')

/** What a file of dist/ imports, or re-exports, of the others. */
const importsOf = (path: string) =>
  [...read(path).matchAll(/\b(?:from|import) ?\(?["'](\.[^"']+)["']/g)].map(([, to]) => {
    const target = join(dirname(path), to as string)
    return path.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target
  })

// The reading end of kmq demo is a process of its own.
const needed = new Set([...targets, 'dist/cli/demo/reader.js'])
// A set visits what is added meanwhile.
for (const path of needed) {
  if (/\.[jt]s$/.test(path)) for (const imported of importsOf(path)) needed.add(imported)
}

t.test('what the manifest points to is packed, and what that imports', async (t) => {
  t.same(
    [...needed].filter((path) => !files.includes(path)),
    [],
  )
})

t.test('no module is packed that nothing imports', async (t) => {
  const modules = files.filter((path) => path.startsWith('dist/') && path.endsWith('.js'))
  t.same(
    modules.filter((path) => !needed.has(path)),
    [],
  )
})

t.test('all of the addon that building it from source needs is packed', async (t) => {
  const needed = ['binding.gyp', ...sources.filter((path) => /\.(cc|h)$/.test(path))]
  t.same(
    needed.filter((path) => !files.includes(path)),
    [],
  )
})

t.test('nothing else is packed', async (t) => {
  const wanted =
    /^(dist\/.+\.(js|d\.ts)|dist\/cli\/help\.txt|prebuilds\/linux-\w+\/kernelmq\.\w+\.node|src\/binding\/\w+\.(cc|h)|binding\.gyp|man\/kmq\.1|docs\/[\w-]+\.(md|svg)|package\.json|(README|CHANGELOG|SECURITY)\.md|LICENSE)$/
  t.same(
    files.filter((path) => !wanted.test(path)),
    [],
  )
})

t.test('installing runs no script', async (t) => {
  for (const script of ['preinstall', 'install', 'postinstall']) {
    t.notOk(manifest.scripts[script], script)
  }
  // npm would build what has a binding.gyp, were it not told otherwise.
  t.equal(manifest.gypfile, false)
})
