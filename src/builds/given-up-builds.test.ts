/** Builds of which a look fails again and again. */

import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { aRegionOfBuilds } from '../../test/a-build.ts'
import { aDatabase } from '../../test/postgres.ts'
import { clearBuildCache } from '../actions/clear-build-cache.ts'
import { HOUR, later, MINUTE } from '../lib/clock.ts'
import { type Copy } from '../runtime/runtime.ts'
import { inTransaction } from '../store/queryable.ts'
import { buildDynoId } from './build-dyno.ts'

const pool = aDatabase()
const builds = aRegionOfBuilds(pool)
const { data } = builds

const broken = async () => {
  throw new Error('broken')
}

test('a build that cannot be finished fails after ten minutes, and holds nothing any more', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  await builds.leave(build, {})
  builds.runtime.end(buildDynoId(build), 0)
  builds.runtime.copyOut = broken
  const removed: string[] = []
  const removeCopy = async ({ to }: Copy) => removed.push(to) > 0
  Object.assign(builds.runtime, { removeCopy })
  await assert.rejects(builds.look(build), /broken/)
  builds.now = later(builds.now, 10 * MINUTE - 1)
  await assert.rejects(builds.look(build), /broken/)
  assert.ok((await builds.read(build)).address)
  builds.now = later(builds.now, 1)
  await builds.look(build)
  const { status, address, failure } = await builds.read(build)
  assert.deepEqual([status, address], ['failed', null])
  assert.match(failure ?? '', /^An internal error /)
  assert.deepEqual(removed, [`slugs/${build.id}`])
  assert.match(
    await builds.outputOf(build),
    /An internal error kept the build from going on/,
  )
})

test('so does one that cannot be prepared, but not for a failure now and then', async () => {
  const build = await builds.aBuild()
  const obstacle = join(data.caches, builds.app.id)
  await mkdir(data.caches, { recursive: true })
  await writeFile(obstacle, '')
  builds.now = later(builds.now, -10 * MINUTE)
  await assert.rejects(builds.look(build), /EEXIST/)
  assert.ok((await builds.read(build)).address)

  await inTransaction(pool, (tx) => clearBuildCache(tx, builds.app))
  builds.now = later(builds.now, 10 * MINUTE)
  await builds.look(build)
  assert.equal((await builds.read(build)).step, 'compile')

  const another = await builds.aBuild()
  await rm(obstacle, { recursive: true })
  await writeFile(obstacle, '')
  builds.runtime.end(buildDynoId(build), 1)
  await builds.look(build)
  await assert.rejects(builds.look(another), /EEXIST/)
  builds.now = later(builds.now, 10 * MINUTE)
  await builds.look(another)
  const { status, address } = await builds.read(another)
  assert.deepEqual([status, address], ['failed', null])
  await rm(obstacle)
})

test('ten minutes that the clock leapt over do not count', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  builds.runtime.end(buildDynoId(build), 0)
  builds.runtime.copyOut = broken
  await assert.rejects(builds.look(build), /broken/)
  builds.now = later(builds.now, HOUR)
  const jumps = [{ at: builds.now, by: HOUR - MINUTE }]
  const deps = { ...builds.deps(), jumps: () => jumps }
  await assert.rejects(builds.look(build, deps), /broken/)
  assert.equal((await builds.read(build)).status, 'pending')
  builds.now = later(builds.now, 9 * MINUTE)
  await builds.look(build, deps)
  assert.equal((await builds.read(build)).status, 'failed')
})

test('a build whose dyno cannot be removed keeps what that holds', async () => {
  const build = await builds.aBuild()
  await builds.look(build)
  builds.runtime.end(buildDynoId(build), 1)
  builds.runtime.remove = broken
  for (let times = 0; times < 4; times++) {
    await assert.rejects(builds.look(build), /broken/)
    builds.now = later(builds.now, 10 * MINUTE)
  }
  const { status, address } = await builds.read(build)
  assert.equal(status, 'pending')
  assert.ok(address)
})
