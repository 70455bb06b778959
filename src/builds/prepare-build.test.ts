/** What a build waits for, and what its dyno is given. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, chown, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { aRegionOfBuilds } from '../../test/a-build.ts'
import { secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { clearBuildCache } from '../actions/clear-build-cache.ts'
import { createRelease } from '../actions/create-release.ts'
import { asUser } from '../installation/as-user.ts'
import { groupId, groupsOf, SOURCES_GROUP, userId } from '../installation/users.ts'
import { silentLog } from '../lib/log.ts'
import { runProgram } from '../lib/run-program.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { findBuild } from '../store/builds.ts'
import { inTransaction } from '../store/queryable.ts'
import { buildDynoId } from './build-dyno.ts'
import { lookAfterBuild } from './look-after-build.ts'

const pool = aDatabase()
const builds = aRegionOfBuilds(pool)
const { data } = builds

test("the build dyno is given the app's config vars as files that only it may read", async () => {
  const longest = 'L'.repeat(255)
  const configVars = { A: 'b', 'no/name': 'c', [longest]: 'd', [`${longest}L`]: 'e' }
  await inTransaction(pool, (tx) =>
    createRelease(
      tx,
      {
        app: builds.app.id,
        account: builds.account,
        description: 'Set A',
        slug: null,
        configVars,
      },
      secrets,
    ),
  )
  const build = await builds.aBuild()
  await builds.look(build)
  const directory = join(data.builds, build.id, 'source', 'env')
  assert.deepEqual((await readdir(directory)).toSorted(), ['A', longest])
  assert.equal(await readFile(join(directory, 'A'), 'utf8'), 'b')
  assert.equal((await stat(join(directory, 'A'))).mode & 0o777, 0o600)
  assert.doesNotMatch(JSON.stringify(builds.runtime.starts), /"A"/)
})

test('a build whose dyno could not be started waits, and is tried again', async () => {
  const build = await builds.aBuild()
  builds.runtime.refusal = new RuntimeError('failed', 'It could not be started.')
  await assert.rejects(builds.look(build), RuntimeError)
  assert.equal((await builds.read(build)).status, 'pending')
  builds.runtime.refusal = undefined
  await builds.look(build)
  assert.equal(builds.runtime.starts.length, 1)
})

test("an app's builds take turns, in the order in which they were asked for", async () => {
  const first = await builds.aBuild()
  const second = await builds.aBuild()
  await builds.look(second)
  assert.equal((await builds.read(second)).step, 'prepare')
  await builds.look(first)
  await builds.leave(first, {})
  builds.runtime.end(buildDynoId(first), 0)
  await builds.look(first)
  await builds.look(second)
  assert.equal((await builds.read(second)).step, 'compile')
})

test('two builds of one upload both find it', async () => {
  const first = await builds.aBuild()
  assert.ok(first.source)
  const second = await builds.aBuild(first.source)
  await builds.look(first)
  builds.runtime.end(buildDynoId(first), 1)
  await builds.look(first)
  await builds.look(second)
  assert.equal((await builds.read(second)).step, 'compile')
})

test("an app's cache is kept from build to build, until it is to be cleared", async () => {
  const cached = join(data.caches, builds.app.id, 'thing')
  const first = await builds.aBuild()
  await builds.look(first)
  await writeFile(cached, 'x')
  builds.runtime.end(buildDynoId(first), 1)
  await builds.look(first)
  await inTransaction(pool, (tx) => clearBuildCache(tx, builds.app))
  assert.ok(existsSync(cached))
  const second = await builds.aBuild()
  await builds.look(second)
  assert.ok(!existsSync(cached))
  await writeFile(cached, 'x')
  builds.runtime.end(buildDynoId(second), 1)
  await builds.look(second)
  await builds.look(await builds.aBuild())
  assert.ok(existsSync(cached))
})

test('a build of a source that is gone fails', async () => {
  const build = await builds.aBuild()
  await rm(join(data.sources, `${build.source}.tar.gz`))
  await builds.look(build)
  assert.equal(
    (await builds.read(build)).failure,
    'The source is not there: upload it again.',
  )
})

test('what a part planted in place of a source is not given to its build', async () => {
  const secret = join(data.root, 'a-key')
  await writeFile(secret, 'of root', { mode: 0o600 })
  await chmod(data.root, 0o711)
  await chown(data.sources, 0, groupId(SOURCES_GROUP))
  await chmod(data.sources, 0o3730)
  const uploaders = [userId('mayfly-git')]
  const plants = {
    link: ['ln', '-s', secret],
    pipe: ['mkfifo'],
    directory: ['mkdir'],
  }
  for (const command of Object.values(plants)) {
    const build = await builds.aBuild()
    const path = data.sourceFile(build.source ?? '')
    await rm(path)
    await runProgram(asUser('mayfly-git', groupsOf('mayfly-git'), [...command, path]))
    const said: string[] = []
    const log = {
      ...silentLog,
      error: (_: string, error: unknown) => said.push(String(error)),
    }
    await builds.look(build, { ...builds.deps(), uploaders, log })
    const { failure } = await builds.read(build)
    assert.match(failure ?? '', /^The source is not the file that was uploaded\./)
    assert.deepEqual(said, ['UnsafeFile: is not a regular file'])
    assert.ok(!existsSync(join(data.builds, build.id)))
    await rm(path, { force: true, recursive: true })
  }
})

test("a build is given a source of one of its uploaders', and nobody else's file", async () => {
  const build = await builds.aBuild()
  const path = data.sourceFile(build.source ?? '')
  await builds.look(build, { ...builds.deps(), uploaders: [userId('mayfly-git')] })
  assert.match((await builds.read(build)).failure ?? '', /^The source is not the file/)

  const another = await builds.aBuild()
  await chown(data.sourceFile(another.source ?? ''), userId('mayfly-git'), 0)
  await builds.look(another, { ...builds.deps(), uploaders: [userId('mayfly-git')] })
  const given = join(data.builds, another.id, 'source', 'source.tar.gz')
  assert.equal(await readFile(given, 'utf8'), 'a tarball')
  assert.equal((await stat(given)).uid, 0)
  assert.ok(!existsSync(path))
})

test('a build for which the machine has no room waits, and its log says so', async () => {
  const build = await builds.aBuild()
  const full = lookAfterBuild({ ...builds.deps(), placeBuild: async () => false })
  const { signal } = new AbortController()
  for (let looks = 0; looks < 2; looks++) assert.ok((await full(build.id, signal)) > 0)
  assert.equal((await findBuild(pool, build.id))?.step, 'prepare')
  const { rows } = await pool.query(
    `select from log_lines where app = $1 and message like 'Build waits: %'`,
    [builds.app.id],
  )
  assert.equal(rows.length, 1)
})
