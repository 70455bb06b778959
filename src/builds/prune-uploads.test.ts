import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createBuild } from '../actions/create-build.ts'
import { createSource } from '../actions/create-source.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { DAY, later, systemClock } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { digestOf } from '../model/token.ts'
import { inTransaction } from '../store/queryable.ts'
import { markUploaded, sourceToGet } from '../store/sources.ts'
import { pruneUploads } from './prune-uploads.ts'

const pool = aDatabase()

test('uploads go after a day, but for those that a build is still to come for', async () => {
  const data = dataDirectory(mkdtempSync(`${tmpdir()}/mayfly-uploads-`))
  mkdirSync(data.sources)
  const { app, account } = await anApp(pool)
  const [left, wanted] = await inTransaction(pool, async (tx) => {
    const made = [await createSource(tx, account.id), await createSource(tx, account.id)]
    for (const { id } of made) await markUploaded(tx, id)
    return made
  })
  assert.ok(left && wanted)
  await inTransaction(pool, (tx) =>
    createBuild(tx, { app, account, source: wanted.id, sourceUrl: null }),
  )
  for (const { id } of [left, wanted]) writeFileSync(data.sourceFile(id), '')
  writeFileSync(`${data.sourceFile(left.id)}.part`, '')

  const pruneAt = (now: Date) => pruneUploads({ pool, data, clock: { now: () => now } })
  const now = systemClock.now()
  await pruneAt(later(now, DAY / 2))
  assert.equal(readdirSync(data.sources).length, 3)
  await pruneAt(later(now, 2 * DAY))
  assert.deepEqual(readdirSync(data.sources), [`${wanted.id}.tar.gz`])
  assert.equal((await sourceToGet(pool, digestOf(left.getToken)))?.uploadedAt, null)
  rmSync(data.root, { recursive: true })
})

test('what no upload can have left keeps nothing else from going, and leads nowhere', async () => {
  const data = dataDirectory(mkdtempSync(`${tmpdir()}/mayfly-uploads-`))
  mkdirSync(data.sources)
  const elsewhere = `${data.root}/elsewhere`
  writeFileSync(elsewhere, '')
  const planted = [newId<'source'>(), newId<'source'>(), newId<'source'>()] as const
  mkdirSync(data.sourceFile(planted[0]))
  symlinkSync(elsewhere, data.sourceFile(planted[1]))
  writeFileSync(data.sourceFile(planted[2]), '')
  const now = later(systemClock.now(), 2 * DAY)
  await pruneUploads({ pool, data, clock: { now: () => now } })
  assert.deepEqual(readdirSync(data.sources), [`${planted[0]}.tar.gz`])
  assert.ok(existsSync(elsewhere))
  rmSync(data.root, { recursive: true })
})
