import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createBuild } from '../actions/create-build.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { DAY, later, systemClock } from '../lib/clock.ts'
import { inTransaction } from '../store/queryable.ts'
import { pruneCaches } from './prune-caches.ts'

const pool = aDatabase()

test('a build cache goes after a month, unless a build is about to use it', async () => {
  const data = dataDirectory(mkdtempSync(`${tmpdir()}/mayfly-caches-`))
  const [left, wanted] = [await anApp(pool), await anApp(pool)]
  for (const { app } of [left, wanted]) {
    mkdirSync(join(data.caches, app.id), { recursive: true })
  }
  const { app, account } = wanted
  await inTransaction(pool, (tx) =>
    createBuild(tx, { app, account, source: null, sourceUrl: Buffer.from('sealed') }),
  )
  const pruneAt = (now: Date) => pruneCaches({ pool, data, clock: { now: () => now } })
  await pruneAt(later(systemClock.now(), 29 * DAY))
  assert.equal(readdirSync(data.caches).length, 2)
  await pruneAt(later(systemClock.now(), 31 * DAY))
  assert.deepEqual(readdirSync(data.caches), [wanted.app.id])
  rmSync(data.root, { recursive: true })
})
