/** The library as it is found and loaded: module systems, tools, Node versions, copies. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type Test, test } from 'tap'
import { Child, packageFolder } from './fixtures/processes.js'
import { kinds, openQueue } from './fixtures/queues.js'

/** What each program does, in whatever way it has got `open`. */
const roundTrip = `
async function roundTrip(open) {
  for (const address of JSON.parse(process.env.QUEUES)) {
    const queue = open(address)
    const received = queue.receive()
    await queue.send('round trip')
    console.log(String((await received).data))
    await queue.close()
  }
}
`
const expected = 'round trip\nround trip\n'

const programs = {
  'esm.mjs': `import { open } from 'kernelmq'\n${roundTrip}\nawait roundTrip(open)`,
  'chdir.mjs': `${roundTrip}
    process.chdir('/')
    const { open } = await import('kernelmq')
    process.chdir('/tmp')
    await roundTrip(open)`,
  'cjs.cjs': `const { open } = require('kernelmq')\n${roundTrip}\nroundTrip(open)`,
  'typed.ts': `import { open, type MessageQueue } from 'kernelmq'
    ${roundTrip.replace('(open)', '(open: (address: string) => MessageQueue)')}
    await roundTrip(open)`,
  'node.test.mjs': `import { test } from 'node:test'
    import { open } from 'kernelmq'
    ${roundTrip}
    test('round trip', () => roundTrip(open))`,
}

/** A folder with the programs in it, and with the package where npm would put it. */
function makeProject(t: Test): string {
  const folder = t.testdir(programs)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(packageFolder, join(folder, 'node_modules', 'kernelmq'))
  return folder
}

/** A copy of the package, without what it depends on. */
function copyPackage(to: string): void {
  for (const part of ['package.json', 'dist', 'build/Release/kernelmq.node']) {
    cpSync(join(packageFolder, part), join(to, part), { recursive: true })
  }
}

/** Runs a command there, with an empty queue of each kind to use. */
async function runThere(t: Test, folder: string, command: string, ...args: string[]) {
  const addresses = kinds.map((kind) => openQueue(t, kind).address)
  const { NODE_OPTIONS: _, ...env } = process.env
  const plain = new Child(t, 'env', ['-u', 'NODE_OPTIONS', command, ...args], {
    cwd: folder,
    env: { ...env, QUEUES: JSON.stringify(addresses) },
  })
  return plain.outcome
}

const node = process.execPath
const tool = (name: string) => join(packageFolder, 'node_modules', '.bin', name)

test('works from an ES module', async (t) => {
  const { code, stdout, stderr } = await runThere(t, makeProject(t), node, 'esm.mjs')
  t.equal(code, 0, stderr)
  t.equal(stdout, expected)
})

test('works after process.chdir()', async (t) => {
  const { code, stdout, stderr } = await runThere(t, makeProject(t), node, 'chdir.mjs')
  t.equal(code, 0, stderr)
  t.equal(stdout, expected)
})

test('works from CommonJS by require()', async (t) => {
  const { code, stdout, stderr } = await runThere(t, makeProject(t), node, 'cjs.cjs')
  t.equal(code, 0, stderr)
  t.equal(stdout, expected)
})

test('works under tsx', async (t) => {
  const { code, stdout, stderr } = await runThere(t, makeProject(t), tool('tsx'), 'typed.ts')
  t.equal(code, 0, stderr)
  t.equal(stdout, expected)
})

test('works under node --test', async (t) => {
  const { code, stdout } = await runThere(t, makeProject(t), node, '--test', 'node.test.mjs')
  t.equal(code, 0, stdout)
  t.match(stdout, /^# pass 1$|^ℹ pass 1$/m)
})

for (const format of ['esm', 'cjs'] as const) {
  test(`works bundled by esbuild as ${format}, with the package external`, async (t) => {
    const folder = makeProject(t)
    const outfile = format === 'esm' ? 'bundle.mjs' : 'bundle.cjs'
    await build({
      absWorkingDir: folder,
      entryPoints: [format === 'esm' ? 'esm.mjs' : 'cjs.cjs'],
      outfile,
      bundle: true,
      platform: 'node',
      format,
      external: ['kernelmq'],
    })
    const { code, stdout, stderr } = await runThere(t, folder, node, outfile)
    t.equal(code, 0, stderr)
    t.equal(stdout, expected)
  })
}

test('two copies of the package work in one process', async (t) => {
  const folder = makeProject(t)
  for (const copy of ['one', 'two']) {
    const to = join(folder, 'node_modules', copy)
    copyPackage(to)
    symlinkSync(join(packageFolder, 'node_modules'), join(to, 'node_modules'))
  }
  const program = `${roundTrip}
    const one = await import(${JSON.stringify(join(folder, 'node_modules/one/dist/index.js'))})
    const two = await import(${JSON.stringify(join(folder, 'node_modules/two/dist/index.js'))})
    if (one.open === two.open) throw new Error('they are one')
    for (const address of JSON.parse(process.env.QUEUES)) {
      const receiver = one.open(address)
      const sender = two.open(address)
      // Both have a wait of their own when the one is cancelled.
      const pending = sender.receive({ timeout: 10 }).catch(({ code }) => code)
      const received = receiver.receive()
      if ((await pending) !== 'ETIMEDOUT') throw new Error(await pending)
      await sender.send('round trip')
      console.log(String((await received).data))
      await Promise.all([receiver.close(), sender.close()])
    }`
  const { code, stdout, stderr } = await runThere(
    t,
    folder,
    node,
    '--input-type=module',
    '-e',
    program,
  )
  t.equal(code, 0, stderr)
  t.equal(stdout, expected)
})

test('works without its optional peers, but for kernelmq/nats and kmq bridge', async (t) => {
  // Not below the package, where Node would find them after all.
  const folder = mkdtempSync(join(tmpdir(), 'kernelmq-test-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const modules = join(folder, 'node_modules')
  const copy = join(modules, 'kernelmq')
  copyPackage(copy)
  const manifest = JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8'))
  for (const name of Object.keys(manifest.dependencies)) {
    symlinkSync(join(packageFolder, 'node_modules', name), join(modules, name))
  }

  const program = `${programs['esm.mjs']}
    const { default: transport } = await import('kernelmq/pino')
    console.log(typeof transport)
    await import('kernelmq/nats').catch(({ message }) => console.log(message))`
  const library = await runThere(t, folder, node, '--input-type=module', '-e', program)
  t.equal(library.code, 0, library.stderr)
  t.match(library.stdout, new RegExp(`^${expected}function\n.*'@nats-io/`))

  const kmq = join(copy, manifest.bin.kmq)
  const listed = await runThere(t, folder, node, kmq, 'ls')
  t.equal(listed.code, 0, listed.stderr)
  const bridge = await runThere(t, folder, node, kmq, 'bridge', '0x1', 'nats://127.0.0.1:1/NONE')
  t.equal(bridge.code, 1)
  t.match(bridge.stderr, /the NATS clients are not installed.*npm install @nats-io/s)
})

for (const version of ['22', '24']) {
  test(`works with Node ${version}`, async (t) => {
    const folder = makeProject(t)
    const where = ['--offline', '--yes', '-p', `node@${version}`, 'node', '-p', 'process.execPath']
    const found = await new Child(t, 'npx', where, { cwd: folder }).outcome
    if (found.code !== 0) {
      const wanted = `npx -p node@${version} node --version`
      t.pass('cannot be tested', { skip: `npx has no node@${version} here; to get it: ${wanted}` })
      return
    }
    for (const program of ['esm.mjs', 'cjs.cjs']) {
      const { code, stdout, stderr } = await runThere(t, folder, found.stdout.trim(), program)
      t.equal(code, 0, stderr)
      t.equal(stdout, expected, program)
    }
  })
}
