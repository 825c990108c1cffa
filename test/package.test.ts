/** What `npm pack` would publish: all that a user needs, and nothing else. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

const sources = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).map(
  (path) => `src/${path}`,
)

t.test('each module is packed, with its types', async (t) => {
  const modules = sources.filter((path) => /(?<!\.d)\.ts$/.test(path))
  const missing = modules
    .map((path) => path.replace(/^src/, 'dist').replace(/\.ts$/, ''))
    .flatMap((path) => [`${path}.js`, `${path}.d.ts`])
    .filter((path) => !files.includes(path))
  t.same(missing, [])
})

t.test('nothing is packed in dist that has no source', async (t) => {
  const stale = files
    .filter((path) => path.startsWith('dist/'))
    .filter(
      (path) =>
        !existsSync(`${root}/${path.replace('dist', 'src').replace(/(\.d)?\.[jt]s$/, '.ts')}`),
    )
  t.same(stale, [], 'remove dist/ and build again')
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
    /^(dist\/.+\.(js|d\.ts)|prebuilds\/linux-\w+\/kernelmq\.\w+\.node|src\/binding\/\w+\.(cc|h)|binding\.gyp|man\/kmq\.1|package\.json|(README|CHANGELOG|SECURITY)\.md|LICENSE)$/
  t.same(
    files.filter((path) => !wanted.test(path)),
    [],
  )
})

t.test('what the manifest points to is packed', async (t) => {
  const targets = [
    manifest.types,
    ...Object.values(manifest.bin as object),
    ...Object.values(manifest.exports as object).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    ),
  ].map((path: string) => path.replace(/^\.\//, ''))
  t.same(
    targets.filter((path) => !files.includes(path)),
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
