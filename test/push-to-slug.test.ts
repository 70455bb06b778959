/**
 * A deploy for real: pushed by git to the git part, compiled by the nodejs buildpack in a
 * build dyno of the local runtime. Only the api's front door, and the rest, are left out.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { installBuildpacks } from '../src/builds/install-buildpacks.ts'
import { lookAfterBuild } from '../src/builds/look-after-build.ts'
import { readBuildEnvironment } from '../src/builds/read-build-environment.ts'
import { dataDirectory } from '../src/installation/data-directory.ts'
import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { newId } from '../src/model/ids.ts'
import { digestOf } from '../src/model/token.ts'
import { demolish } from '../src/runtime/local/demolish.ts'
import { ensureStack } from '../src/runtime/local/ensure-stack.ts'
import { LocalRuntime } from '../src/runtime/local/local-runtime.ts'
import { ensureAuthorization } from '../src/store/accounts.ts'
import { buildsOf } from '../src/store/builds.ts'
import { findSlug } from '../src/store/slugs.ts'
import { runLoop } from '../src/work/loop.ts'
import { buildDeps } from './a-build.ts'
import { aTree, aTreeOf, git } from './a-git-tree.ts'
import { takeNetwork } from './a-local-machine.ts'
import { type AnApp, anApp } from './an-app.ts'
import { type AResolver, aResolver } from './a-resolver.ts'
import { noteInstallation } from './note-installation.ts'
import { aDatabase } from './postgres.ts'
import { until } from './until.ts'

const TOKEN = 'the-api-key'
const STACKS = process.env['MAYFLY_STACKS'] ?? '/var/cache/mayfly/stacks'
const SUBNET = await takeNetwork()
const repository = join(import.meta.dirname, '..')
const pool = aDatabase()
const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-push-')))
const id = randomBytes(3).toString('hex')
noteInstallation(id)
const machine = {
  installation: id,
  region: 'us',
  subnet: SUBNET,
  root: data.root,
  stacks: STACKS,
  slugs: data.slugs,
  dynos: data.dynos('us'),
  endedLogs: data.endedLogs,
  log: silentLog,
}
const runtime = new LocalRuntime(machine)
const ended = new AbortController()
/** Git speaks TCP only, the git part a unix socket only. */
const front = createServer((client) => {
  const part = connect(join(data.run('git'), 'http.sock'))
  client.pipe(part).pipe(client)
  for (const socket of [client, part]) socket.on('error', () => client.destroy())
})
let own: AnApp
let resolver: AResolver
let gitPart: ChildProcess
let manager: Promise<void>
let url = ''

suite('a push becomes a slug', () => {
  before(async () => {
    chmodSync(data.root, 0o711)
    for (const directory of [data.sources, data.repos, data.slugs, machine.dynos]) {
      await mkdir(directory, { recursive: true })
    }
    own = await anApp(pool)
    await pool.query('update regions set subnet = $1', [SUBNET])
    await ensureAuthorization(pool, {
      id: newId(),
      account: own.account.id,
      sha256: digestOf(TOKEN),
      description: 'test',
    })
    await ensureStack(STACKS, 'debian-12', () => undefined)
    await runtime.prepare(ended.signal)
    resolver = await aResolver(machine)
    gitPart = await startGit()
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    const { port } = front.address() as AddressInfo
    url = `http://heroku:${TOKEN}@127.0.0.1:${port}/${own.app.name}.git`
    manager = manage()
  })
  after(async () => {
    ended.abort()
    await manager
    front.close()
    gitPart.kill()
    await new Promise((resolve) => gitPart.once('exit', resolve))
    await resolver.close()
    await demolish(machine, { grace: 0 })
    await rm(data.root, { recursive: true })
  })

  test('an app of Node.js', async () => {
    const work = await aTreeOf(data.root, join(repository, 'examples/hello-node'))
    const push = await git(work, ['push', url, 'main'])
    assert.equal(push.status, 0, push.said)
    for (const line of [
      /remote: -----> Building on the debian-12 stack/,
      /remote: -----> Node\.js app detected/,
      /remote: {8}Using Node v24\.\d+\.\d+ and npm /,
      /remote: {8}Procfile declares types {5}-> web, worker/,
      /remote: {8}Default types for Node\.js|remote: -----> Compressing\.\.\./,
      /remote: {8}Released v3/,
      /remote: {8}http:\/\/\S+\.localhost:8080\/ deployed to Mayfly/,
      /remote: Verifying deploy\.\.\. done\./,
    ]) {
      assert.match(push.said, line)
    }
    const build = (await buildsOf(pool, own.app.id)).at(-1)
    assert.ok(build?.slug)
    const slug = await findSlug(pool, build.slug)
    assert.equal(slug?.processTypes['web'], 'node server.js')
    const files = join(data.slugs, slug.id, 'app')
    assert.ok(existsSync(join(files, '.heroku/node/bin/node')))
    assert.match(
      await readFile(join(files, '.profile.d/nodejs.sh'), 'utf8'),
      /WEB_MEMORY/,
    )
    assert.deepEqual(await runtime.list(ended.signal), [])
  })

  test('one with a dependency, a lock file and something to build', async () => {
    const work = await aTree(data.root, {
      'package.json': JSON.stringify({
        name: 'built',
        version: '1.0.0',
        engines: { node: '>=22 <23' },
        scripts: {
          build: 'node build.js',
          start: 'node built.js',
        },
        dependencies: { ws: '^8.0.0' },
        devDependencies: { semver: '^7.0.0' },
      }),
      'build.js': `require('semver')
        require('node:fs').writeFileSync('built', process.env.GREETING)`,
      '.slugignore': '*.md\n',
      'README.md': 'not for the slug\n',
    })
    await own.deploy({}, { GREETING: 'hello' })
    const push = await git(work, ['push', '--force', url, 'main'])
    assert.equal(push.status, 0, push.said)
    assert.match(push.said, /remote: {8}Using Node v22\./)
    assert.match(push.said, /remote: {8}Default types for Node\.js -> web/)
    const build = (await buildsOf(pool, own.app.id)).at(-1)
    const files = join(data.slugs, build?.slug ?? '', 'app')
    assert.equal(await readFile(join(files, 'built'), 'utf8'), 'hello')
    assert.deepEqual(readdirSync(join(files, 'node_modules')).filter(isPackage), ['ws'])
    assert.ok(!existsSync(join(files, 'README.md')))
  })

  test('one that cannot be compiled', async () => {
    const work = await aTree(data.root, { 'package.json': '{ "name": ' })
    const push = await git(work, ['push', '--force', url, 'main'])
    assert.equal(push.status, 1, push.said)
    assert.match(push.said, /remote: {2}! {5}package\.json is not valid JSON:/)
    assert.match(
      push.said,
      /remote: {2}! {5}Push rejected, failed to compile Node\.js app\./,
    )
  })

  test('one of nothing that is known', async () => {
    const work = await aTree(data.root, { 'a.txt': 'a' })
    const push = await git(work, ['push', '--force', url, 'main'])
    assert.equal(push.status, 1, push.said)
    assert.match(push.said, /No default language could be detected for this app\./)
  })

  test('what was compiled of the hook is kept for the next push', () => {
    assert.notDeepEqual(readdirSync(join(data.run('git'), 'compiled')), [])
  })
})

async function manage(): Promise<void> {
  const build = lookAfterBuild({
    ...buildDeps(pool, runtime, data),
    builtIns: await installBuildpacks(data, systemClock.now()),
    buildEnvironment: await readBuildEnvironment(process.env),
  })
  const loop = { pool, region: 'us', looks: { build }, log: silentLog }
  await runLoop({ ...loop, overdue: () => assert.fail('overdue') }, ended.signal)
}

async function startGit(): Promise<ChildProcess> {
  const installation = { id, apiPort: 0, domain: 'localhost', regions: [] }
  await writeFile(data.installation, JSON.stringify(installation))
  const part = spawn(process.execPath, [join(repository, 'bin/git.ts')], {
    env: {
      ...process.env,
      MAYFLY_DATA: data.root,
      DATABASE_URL: `postgresql:///${pool.options.database}?host=${process.env['PGHOST']}&user=${process.env['PGUSER']}`,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await until('the git part serves', () => existsSync(data.readyFile('git')))
  return part
}

function isPackage(name: string): boolean {
  return !name.startsWith('.')
}
