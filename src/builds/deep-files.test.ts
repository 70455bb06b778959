/** Builds that make directories deeper than a path may be long, where they have no disk of their own. */

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { makeDeepDirectory } from '../../test/a-deep-directory.ts'
import { aDatabase } from '../../test/postgres.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { systemClock } from '../lib/clock.ts'
import type { Build } from '../model/build.ts'
import { newId } from '../model/ids.ts'
import { removeBuildFiles, removeCache } from './build-files.ts'
import { pruneCaches } from './prune-caches.ts'

const pool = aDatabase()
const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-deep-')))
after(() => rmSync(data.root, { recursive: true }))

test('what a build leaves goes, however deep it lies', async () => {
  const build = { id: newId<'build'>(), app: newId<'app'>() } as Build
  await makeDeepDirectory(join(data.builds, build.id, 'build'))
  await removeBuildFiles(data, build)
  assert.deepEqual(readdirSync(data.builds), [])

  const cache = join(data.caches, build.app)
  await makeDeepDirectory(cache)
  await removeCache(data, build)
  assert.deepEqual(readdirSync(data.caches), [])

  await makeDeepDirectory(cache)
  utimesSync(cache, new Date(0), new Date(0))
  await pruneCaches({ pool, data, clock: systemClock })
  assert.deepEqual(readdirSync(data.caches), [])
})
