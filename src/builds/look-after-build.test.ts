/** A build from its first look to its last: what it ends in, and what is left of it. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { aRegionOfBuilds } from '../../test/a-build.ts'
import { secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { setConfigVars } from '../actions/set-config-vars.ts'
import { HOUR, later, systemClock } from '../lib/clock.ts'
import { treeChecksum } from '../lib/tree-checksum.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { findApp } from '../store/apps.ts'
import { requestCancel } from '../store/builds.ts'
import { inTransaction } from '../store/queryable.ts'
import { currentConfigVars, releasesOf } from '../store/releases.ts'
import { findSlug } from '../store/slugs.ts'
import { buildDynoId } from './build-dyno.ts'
import { BUILD_LIMIT } from './plan-compile.ts'

const pool = aDatabase()
const builds = aRegionOfBuilds(pool)
const { data } = builds

test('a build that succeeds ends in a slug and a release', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  const [dyno] = builds.runtime.starts
  assert.equal(dyno?.environment['SOURCE_VERSION'], '5f2a1c3e9999')
  builds.runtime.print(dyno.id, '-----> Node.js app detected\n')
  await builds.leave(build, { Procfile: 'web: node server.js\n', detected: 'Node.js\n' })
  builds.runtime.end(dyno.id, 0)
  await builds.look(build)

  const ended = await builds.read(build)
  assert.equal(ended.status, 'succeeded')
  assert.equal(ended.address, null)
  const releases = await releasesOf(pool, builds.app.id)
  const release = releases.find((it) => it.id === ended.release)
  assert.equal(release?.description, 'Deploy 5f2a1c3e')
  assert.ok(ended.slug)
  const slug = await findSlug(pool, ended.slug)
  assert.deepEqual(slug?.processTypes, { web: 'node server.js' })
  assert.equal(slug.buildpackProvidedDescription, 'Node.js')
  const files = join(data.slugs, ended.slug, 'app')
  assert.ok(existsSync(files))
  assert.equal(slug.checksum, await treeChecksum(files))
  const output = await builds.outputOf(build)
  assert.match(output, /^-----> Node\.js app detected\n/)
  assert.match(output, new RegExp(`Released v${release.version}\n`))
  assert.match(
    output,
    new RegExp(`http://${builds.app.name}.localhost:8080/ deployed to Mayfly`),
  )
})

test('a config var that is set while a build ends stays set', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  await builds.leave(build, {})
  builds.runtime.end(buildDynoId(build), 0)
  const ending = await inTransaction(pool, async (tx) => {
    const wish = {
      app: builds.app.id,
      account: builds.account,
      changes: { SET: 'meanwhile' },
    }
    await setConfigVars(tx, wish, secrets)
    const looked = builds.look(build)
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
  assert.equal((await builds.read(build)).status, 'succeeded')
  assert.deepEqual(await currentConfigVars(pool, builds.app.id, secrets), {
    SET: 'meanwhile',
  })
})

test('nothing but the slug and the cache is left of it', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  await builds.leave(build, {})
  builds.runtime.end(buildDynoId(build), 0)
  await builds.look(build)
  assert.deepEqual(await builds.runtime.list(), [])
  assert.deepEqual(await readdir(data.sources), [])
  assert.deepEqual(await readdir(data.builds), [])
})

test('a build that fails leaves the running release alone, and says why', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  builds.runtime.print(buildDynoId(build), ' !     no good\n')
  builds.runtime.end(buildDynoId(build), 1)
  await builds.look(build)

  const ended = await builds.read(build)
  assert.equal(ended.status, 'failed')
  assert.equal(
    (await findApp(pool, builds.app.id))?.currentRelease,
    builds.app.currentRelease,
  )
  assert.match(
    await builds.outputOf(build),
    / ! {5}no good\n\n ! {5}Build failed with exit status 1/,
  )
  assert.ok(!existsSync(join(data.slugs, build.id)))
  assert.deepEqual(await builds.runtime.list(), [])
})

test('a build whose result is not to be trusted fails', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  await builds.leave(build, { 'release.yml': 'a: [' })
  builds.runtime.end(buildDynoId(build), 0)
  await builds.look(build)
  assert.equal(
    (await builds.read(build)).failure,
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
    const build = await builds.aBuild()
    await builds.look(build)
    builds.runtime.copyOut = () => Promise.reject(new RuntimeError(code, 'it has'))
    builds.runtime.end(buildDynoId(build), 0)
    await builds.look(build)
    assert.equal((await builds.read(build)).status, 'failed')
    assert.match(await builds.outputOf(build), said)
    assert.ok(!existsSync(join(data.builds, build.id)))
  })
}

test('a copy, and a removal, may take longer than a look', async () => {
  const [kept, failed] = [await builds.aBuild(), await builds.aBuild()]
  let isDone = false
  builds.runtime.copyOut = async () => isDone
  builds.runtime.removeCopy = async () => isDone
  for (const [build, status] of [
    [kept, 0],
    [failed, 1],
  ] as const) {
    isDone = false
    await builds.look(build)
    await builds.leave(build, {})
    builds.runtime.end(buildDynoId(build), status)
    await builds.look(build)
    await builds.look(build)
    const { step } = await builds.read(build)
    assert.deepEqual([step, existsSync(join(data.builds, build.id))], ['finish', true])
    isDone = true
    await builds.look(build)
    assert.ok(!existsSync(join(data.builds, build.id)))
  }
  assert.deepEqual(
    [(await builds.read(kept)).status, (await builds.read(failed)).status],
    ['succeeded', 'failed'],
  )
})

test('a cancelled build ends at once', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  assert.ok(await requestCancel(pool, build.id))
  await builds.look(build)
  assert.deepEqual(builds.runtime.killed, [build.id])
  const ended = await builds.read(build)
  assert.deepEqual([ended.status, ended.failure], ['failed', 'Build cancelled.'])
})

test('a build has its time and no more', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  builds.now = later(systemClock.now(), BUILD_LIMIT)
  await builds.look(build)
  assert.equal((await builds.read(build)).failure, 'Build took longer than 15 minutes.')
})

test('… though the clock is set back meanwhile', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  const set = later(systemClock.now(), -HOUR)
  builds.now = set
  await builds.look(build)
  builds.now = later(set, BUILD_LIMIT)
  await builds.look(build)
  assert.equal((await builds.read(build)).failure, 'Build took longer than 15 minutes.')
})

test('a build whose app is destroyed fails', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  await pool.query('update apps set deleted_at = now() where id = $1', [builds.app.id])
  await builds.look(build)
  assert.equal((await builds.read(build)).failure, 'The app was destroyed.')
  assert.deepEqual(await builds.runtime.list(), [])
})

test('output is kept once, whatever is repeated, and to the last byte', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  const text = 'Grüße, ein Schuß Öl dazu — and a good deal more than one piece of it\n'
  builds.runtime.print(buildDynoId(build), text)
  await builds.look(build)
  await builds.look(build)
  builds.runtime.print(buildDynoId(build), 'the end\n')
  builds.runtime.end(buildDynoId(build), 1)
  await builds.look(build)
  const output = await builds.outputOf(build)
  assert.equal(output.split('the end').length, 2)
  assert.ok(output.endsWith('Build failed with exit status 1.\n'))
  assert.match(output, /and a good deal more than one piece of it\nthe end\n\n !/)
})
