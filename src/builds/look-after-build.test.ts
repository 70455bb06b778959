import assert from 'node:assert/strict'
import { existsSync, mkdtempSync } from 'node:fs'
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'

import { buildDeps, outputOf } from '../../test/a-build.ts'
import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { ScriptedRuntime } from '../../test/scripted-runtime.ts'
import { until } from '../../test/until.ts'
import { clearBuildCache } from '../actions/clear-build-cache.ts'
import { createBuild } from '../actions/create-build.ts'
import { createRelease } from '../actions/create-release.ts'
import { createSource } from '../actions/create-source.ts'
import { setConfigVars } from '../actions/set-config-vars.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { asUser, runProgram } from '../installation/run-program.ts'
import { groupId, groupsOf, SOURCES_GROUP, userId } from '../installation/users.ts'
import { HOUR, later, MINUTE, systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { treeChecksum } from '../lib/tree-checksum.ts'
import type { Account, App } from '../model/app.ts'
import type { Build } from '../model/build.ts'
import { type Copy, RuntimeError } from '../runtime/runtime.ts'
import { findApp } from '../store/apps.ts'
import { findBuild, requestCancel } from '../store/builds.ts'
import { inTransaction } from '../store/queryable.ts'
import { currentConfigVars, releasesOf } from '../store/releases.ts'
import { findSlug } from '../store/slugs.ts'
import type { BuildDeps } from './build-deps.ts'
import { buildDynoId } from './build-dyno.ts'
import { lookAfterBuild } from './look-after-build.ts'
import { BUILD_LIMIT } from './plan-compile.ts'

const pool = aDatabase()
const root = mkdtempSync(join(tmpdir(), 'mayfly-build-'))
const data = dataDirectory(root)
let now = new Date()
let runtime = new ScriptedRuntime()
let account: Account
let app: App

before(() => mkdir(data.sources))
after(() => rm(root, { recursive: true }))
beforeEach(async () => {
  runtime = new ScriptedRuntime()
  now = systemClock.now()
  ;({ app, account } = await anApp(pool))
})

test('a build that succeeds ends in a slug and a release', async () => {
  const build = await aBuild()
  await look(build)
  const [dyno] = runtime.starts
  assert.equal(dyno?.environment['SOURCE_VERSION'], '5f2a1c3e9999')
  runtime.print(dyno.id, '-----> Node.js app detected\n')
  await leave(build, { Procfile: 'web: node server.js\n', detected: 'Node.js\n' })
  runtime.end(dyno.id, 0)
  await look(build)

  const ended = await read(build)
  assert.equal(ended.status, 'succeeded')
  assert.equal(ended.address, null)
  const releases = await releasesOf(pool, app.id)
  const release = releases.find((it) => it.id === ended.release)
  assert.equal(release?.description, 'Deploy 5f2a1c3e')
  assert.ok(ended.slug)
  const slug = await findSlug(pool, ended.slug)
  assert.deepEqual(slug?.processTypes, { web: 'node server.js' })
  assert.equal(slug.buildpackProvidedDescription, 'Node.js')
  const files = join(data.slugs, ended.slug, 'app')
  assert.ok(existsSync(files))
  assert.equal(slug.checksum, await treeChecksum(files))
  const output = await outputOf(pool, build)
  assert.match(output, /^-----> Node\.js app detected\n/)
  assert.match(output, new RegExp(`Released v${release.version}\n`))
  assert.match(
    output,
    new RegExp(`http://${app.name}.localhost:8080/ deployed to Mayfly`),
  )
})

test('a config var that is set while a build ends stays set', async () => {
  const build = await aBuild()
  await look(build)
  await leave(build, {})
  runtime.end(buildDynoId(build), 0)
  const ending = await inTransaction(pool, async (tx) => {
    const wish = { app: app.id, account, changes: { SET: 'meanwhile' } }
    await setConfigVars(tx, wish, secrets)
    const looked = look(build)
    await until('it waits for the app', async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rows.length > 0
    })
    return { looked }
  })
  await ending.looked
  assert.equal((await read(build)).status, 'succeeded')
  assert.deepEqual(await currentConfigVars(pool, app.id, secrets), { SET: 'meanwhile' })
})

test('nothing but the slug and the cache is left of it', async () => {
  const build = await aBuild()
  await look(build)
  await leave(build, {})
  runtime.end(buildDynoId(build), 0)
  await look(build)
  assert.deepEqual(await runtime.list(), [])
  assert.deepEqual(await readdir(data.sources), [])
  assert.deepEqual(await readdir(data.builds), [])
})

test("the build dyno is given the app's config vars as files that only it may read", async () => {
  const longest = 'L'.repeat(255)
  const configVars = { A: 'b', 'no/name': 'c', [longest]: 'd', [`${longest}L`]: 'e' }
  await inTransaction(pool, (tx) =>
    createRelease(
      tx,
      { app: app.id, account, description: 'Set A', slug: null, configVars },
      secrets,
    ),
  )
  const build = await aBuild()
  await look(build)
  const directory = join(data.builds, build.id, 'source', 'env')
  assert.deepEqual((await readdir(directory)).toSorted(), ['A', longest])
  assert.equal(await readFile(join(directory, 'A'), 'utf8'), 'b')
  assert.equal((await stat(join(directory, 'A'))).mode & 0o777, 0o600)
  assert.doesNotMatch(JSON.stringify(runtime.starts), /"A"/)
})

test('a build that fails leaves the running release alone, and says why', async () => {
  const build = await aBuild()
  await look(build)
  runtime.print(buildDynoId(build), ' !     no good\n')
  runtime.end(buildDynoId(build), 1)
  await look(build)

  const ended = await read(build)
  assert.equal(ended.status, 'failed')
  assert.equal((await findApp(pool, app.id))?.currentRelease, app.currentRelease)
  assert.match(
    await outputOf(pool, build),
    / ! {5}no good\n\n ! {5}Build failed with exit status 1/,
  )
  assert.ok(!existsSync(join(data.slugs, build.id)))
  assert.deepEqual(await runtime.list(), [])
})

test('a build whose result is not to be trusted fails', async () => {
  const build = await aBuild()
  await look(build)
  await leave(build, { 'release.yml': 'a: [' })
  runtime.end(buildDynoId(build), 0)
  await look(build)
  assert.equal(
    (await read(build)).failure,
    "The buildpack's bin/release did not print YAML.",
  )
})

for (const [code, said] of [
  ['too_large', /Compiled slug is too large \(max is 2 GB/],
  ['too_many_files', /Compiled slug has too many files \(max is 131,072, directories/],
  ['no_disk_room', /The machine's disk is nearly full: there is no room for the slug/],
  ['path_too_long', /Compiled slug has a path of more than 4,096 letters/],
] as const) {
  test(`what cannot be copied fails the build: ${code}`, async () => {
    const build = await aBuild()
    await look(build)
    runtime.copyOut = () => Promise.reject(new RuntimeError(code, 'it has'))
    runtime.end(buildDynoId(build), 0)
    await look(build)
    assert.equal((await read(build)).status, 'failed')
    assert.match(await outputOf(pool, build), said)
    assert.ok(!existsSync(join(data.builds, build.id)))
  })
}

test('a copy, and a removal, may take longer than a look', async () => {
  const [kept, failed] = [await aBuild(), await aBuild()]
  let isDone = false
  runtime.copyOut = async () => isDone
  runtime.removeCopy = async () => isDone
  for (const [build, status] of [
    [kept, 0],
    [failed, 1],
  ] as const) {
    isDone = false
    await look(build)
    await leave(build, {})
    runtime.end(buildDynoId(build), status)
    await look(build)
    await look(build)
    const { step } = await read(build)
    assert.deepEqual([step, existsSync(join(data.builds, build.id))], ['finish', true])
    isDone = true
    await look(build)
    assert.ok(!existsSync(join(data.builds, build.id)))
  }
  assert.deepEqual(
    [(await read(kept)).status, (await read(failed)).status],
    ['succeeded', 'failed'],
  )
})

test('a cancelled build ends at once', async () => {
  const build = await aBuild()
  await look(build)
  assert.ok(await requestCancel(pool, build.id))
  await look(build)
  assert.deepEqual(runtime.killed, [build.id])
  const ended = await read(build)
  assert.deepEqual([ended.status, ended.failure], ['failed', 'Build cancelled.'])
})

test('a build has its time and no more', async () => {
  const build = await aBuild()
  await look(build)
  now = later(systemClock.now(), BUILD_LIMIT)
  await look(build)
  assert.equal((await read(build)).failure, 'Build took longer than 15 minutes.')
})

test('… though the clock is set back meanwhile', async () => {
  const build = await aBuild()
  await look(build)
  const set = later(systemClock.now(), -HOUR)
  now = set
  await look(build)
  now = later(set, BUILD_LIMIT)
  await look(build)
  assert.equal((await read(build)).failure, 'Build took longer than 15 minutes.')
})

test('a build waits for room', async () => {
  const build = await aBuild()
  runtime.refusal = new RuntimeError('no_capacity', 'full')
  await assert.rejects(look(build), RuntimeError)
  assert.equal((await read(build)).status, 'pending')
  runtime.refusal = undefined
  await look(build)
  assert.equal(runtime.starts.length, 1)
})

test('a build whose app is destroyed fails', async () => {
  const build = await aBuild()
  await look(build)
  await pool.query('update apps set deleted_at = now() where id = $1', [app.id])
  await look(build)
  assert.equal((await read(build)).failure, 'The app was destroyed.')
  assert.deepEqual(await runtime.list(), [])
})

test("an app's builds take turns, in the order in which they were asked for", async () => {
  const first = await aBuild()
  const second = await aBuild()
  await look(second)
  assert.equal((await read(second)).step, 'prepare')
  await look(first)
  await leave(first, {})
  runtime.end(buildDynoId(first), 0)
  await look(first)
  await look(second)
  assert.equal((await read(second)).step, 'compile')
})

test('two builds of one upload both find it', async () => {
  const first = await aBuild()
  assert.ok(first.source)
  const second = await aBuild(first.source)
  await look(first)
  runtime.end(buildDynoId(first), 1)
  await look(first)
  await look(second)
  assert.equal((await read(second)).step, 'compile')
})

test("an app's cache is kept from build to build, until it is to be cleared", async () => {
  const cached = join(data.caches, app.id, 'thing')
  const first = await aBuild()
  await look(first)
  await writeFile(cached, 'x')
  runtime.end(buildDynoId(first), 1)
  await look(first)
  await inTransaction(pool, (tx) => clearBuildCache(tx, app))
  assert.ok(existsSync(cached))
  const second = await aBuild()
  await look(second)
  assert.ok(!existsSync(cached))
  await writeFile(cached, 'x')
  runtime.end(buildDynoId(second), 1)
  await look(second)
  await look(await aBuild())
  assert.ok(existsSync(cached))
})

test('a build of a source that is gone fails', async () => {
  const build = await aBuild()
  await rm(join(data.sources, `${build.source}.tar.gz`))
  await look(build)
  assert.equal((await read(build)).failure, 'The source is not there: upload it again.')
})

test('what a part planted in place of a source is not given to its build', async () => {
  const secret = join(root, 'a-key')
  await writeFile(secret, 'of root', { mode: 0o600 })
  await chmod(root, 0o711)
  await chown(data.sources, 0, groupId(SOURCES_GROUP))
  await chmod(data.sources, 0o3730)
  const uploaders = [userId('mayfly-git')]
  const plants = {
    link: ['ln', '-s', secret],
    pipe: ['mkfifo'],
    directory: ['mkdir'],
  }
  for (const command of Object.values(plants)) {
    const build = await aBuild()
    const path = data.sourceFile(build.source ?? '')
    await rm(path)
    await runProgram(asUser('mayfly-git', groupsOf('mayfly-git'), [...command, path]))
    const said: string[] = []
    const log = {
      ...silentLog,
      error: (_: string, error: unknown) => said.push(String(error)),
    }
    await look(build, { ...deps(), uploaders, log })
    const { failure } = await read(build)
    assert.match(failure ?? '', /^The source is not the file that was uploaded\./)
    assert.deepEqual(said, ['UnsafeFile: is not a regular file'])
    assert.ok(!existsSync(join(data.builds, build.id)))
    await rm(path, { force: true, recursive: true })
  }
})

test("a build is given a source of one of its uploaders', and nobody else's file", async () => {
  const build = await aBuild()
  const path = data.sourceFile(build.source ?? '')
  await look(build, { ...deps(), uploaders: [userId('mayfly-git')] })
  assert.match((await read(build)).failure ?? '', /^The source is not the file/)

  const another = await aBuild()
  await chown(data.sourceFile(another.source ?? ''), userId('mayfly-git'), 0)
  await look(another, { ...deps(), uploaders: [userId('mayfly-git')] })
  const given = join(data.builds, another.id, 'source', 'source.tar.gz')
  assert.equal(await readFile(given, 'utf8'), 'a tarball')
  assert.equal((await stat(given)).uid, 0)
  assert.ok(!existsSync(path))
})

test('output is kept once, whatever is repeated, and to the last byte', async () => {
  const build = await aBuild()
  await look(build)
  const text = 'Grüße, ein Schuß Öl dazu — and a good deal more than one piece of it\n'
  runtime.print(buildDynoId(build), text)
  await look(build)
  await look(build)
  runtime.print(buildDynoId(build), 'the end\n')
  runtime.end(buildDynoId(build), 1)
  await look(build)
  const output = await outputOf(pool, build)
  assert.equal(output.split('the end').length, 2)
  assert.ok(output.endsWith('Build failed with exit status 1.\n'))
  assert.match(output, /and a good deal more than one piece of it\nthe end\n\n !/)
})

test('a build for which the machine has no room waits, and its log says so', async () => {
  const build = await aBuild()
  const full = lookAfterBuild({ ...deps(), placeBuild: async () => false })
  const { signal } = new AbortController()
  for (let looks = 0; looks < 2; looks++) assert.ok((await full(build.id, signal)) > 0)
  assert.equal((await findBuild(pool, build.id))?.step, 'prepare')
  const { rows } = await pool.query(
    `select from log_lines where app = $1 and message like 'Build waits: %'`,
    [app.id],
  )
  assert.equal(rows.length, 1)
})

const broken = async () => {
  throw new Error('broken')
}

test('a build that cannot be finished fails after ten minutes, and holds nothing any more', async () => {
  const build = await aBuild()
  await look(build)
  await leave(build, {})
  runtime.end(buildDynoId(build), 0)
  runtime.copyOut = broken
  const removed: string[] = []
  const removeCopy = async ({ to }: Copy) => removed.push(to) > 0
  Object.assign(runtime, { removeCopy })
  await assert.rejects(look(build), /broken/)
  now = later(now, 10 * MINUTE - 1)
  await assert.rejects(look(build), /broken/)
  assert.ok((await read(build)).address)
  now = later(now, 1)
  await look(build)
  const { status, address, failure } = await read(build)
  assert.deepEqual([status, address], ['failed', null])
  assert.match(failure ?? '', /^An internal error /)
  assert.deepEqual(removed, [`slugs/${build.id}`])
  assert.match(
    await outputOf(pool, build),
    /An internal error kept the build from going on/,
  )
})

test('so does one that cannot be prepared, but not for a failure now and then', async () => {
  const build = await aBuild()
  const obstacle = join(data.caches, app.id)
  await mkdir(data.caches, { recursive: true })
  await writeFile(obstacle, '')
  now = later(now, -10 * MINUTE)
  await assert.rejects(look(build), /EEXIST/)
  assert.ok((await read(build)).address)

  await inTransaction(pool, (tx) => clearBuildCache(tx, app))
  now = later(now, 10 * MINUTE)
  await look(build)
  assert.equal((await read(build)).step, 'compile')

  const another = await aBuild()
  await rm(obstacle, { recursive: true })
  await writeFile(obstacle, '')
  runtime.end(buildDynoId(build), 1)
  await look(build)
  await assert.rejects(look(another), /EEXIST/)
  now = later(now, 10 * MINUTE)
  await look(another)
  const { status, address } = await read(another)
  assert.deepEqual([status, address], ['failed', null])
  await rm(obstacle)
})

test('a build whose dyno cannot be removed keeps what that holds', async () => {
  const build = await aBuild()
  await look(build)
  runtime.end(buildDynoId(build), 1)
  runtime.remove = broken
  for (let times = 0; times < 4; times++) {
    await assert.rejects(look(build), /broken/)
    now = later(now, 10 * MINUTE)
  }
  const { status, address } = await read(build)
  assert.equal(status, 'pending')
  assert.ok(address)
})

function deps(): BuildDeps {
  return { ...buildDeps(pool, runtime, data), clock: { now: () => now } }
}

/** Until the build waits for something. */
async function look(build: Build, its = deps()): Promise<void> {
  const { signal } = new AbortController()
  for (let looks = 0; looks < 10; looks++) {
    const killed = runtime.killed.length
    const delay = await lookAfterBuild(its)(build.id, signal)
    if (delay > 0 && runtime.killed.length === killed) return
  }
  assert.fail('the build wants looking at again and again')
}

async function aBuild(of?: Build['source']): Promise<Build> {
  const source =
    of ?? (await inTransaction(pool, (tx) => createSource(tx, account.id))).id
  await writeFile(join(data.sources, `${source}.tar.gz`), 'a tarball')
  const version = '5f2a1c3e9999'
  return inTransaction(pool, (tx) =>
    createBuild(tx, { app, account, source, sourceUrl: 'git', version }),
  )
}

/** What its dyno leaves for the slug's directory. */
async function leave(build: Build, files: Record<string, string>): Promise<void> {
  const slug = join(data.slugs, build.id)
  await mkdir(join(slug, 'app'), { recursive: true })
  for (const [name, text] of Object.entries(files))
    await writeFile(join(slug, name), text)
}

async function read(build: Build): Promise<Build> {
  const found = await findBuild(pool, build.id)
  assert.ok(found)
  return found
}
