import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { releaseSlug } from '../actions/release-slug.ts'
import { rollback } from '../actions/rollback.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { Problem } from '../model/problem.ts'
import { canRollBackTo, type Release } from '../model/release.ts'
import { SLUGS_KEPT } from '../model/slug-retention.ts'
import { inTransaction } from '../store/queryable.ts'
import { releasesOf } from '../store/releases.ts'
import { findSlug } from '../store/slugs.ts'
import { pruneSlugs } from './prune-slugs.ts'

const pool = aDatabase()

test('slugs of old deploys go, and no release can bring them back', async () => {
  const data = dataDirectory(mkdtempSync(`${tmpdir()}/mayfly-slugs-`))
  const made = await anApp(pool)
  const { app, account } = made
  for (let n = 0; n < SLUGS_KEPT + 2; n++) await made.deploy()
  const deploys = (await deployed()).map(({ slug }) => slug)
  for (const slug of deploys)
    mkdirSync(join(data.slugs, slug, 'app'), { recursive: true })
  const stranger = '00000000-0000-4000-8000-000000000000'
  mkdirSync(join(data.slugs, stranger))

  const pruning = { pool, data, region: app.region }
  await pruneSlugs({ ...pruning, region: 'eu' })
  assert.equal(readdirSync(data.slugs).length, deploys.length + 1)
  await pruneSlugs(pruning)
  const kept = deploys.slice(2)
  assert.deepEqual(new Set(readdirSync(data.slugs)), new Set([...kept, stranger]))

  const [gone] = await deployed()
  assert.ok(gone)
  assert.equal(gone.status, 'expired')
  assert.ok(!canRollBackTo(gone))
  assert.deepEqual((await findSlug(pool, gone.slug))?.processTypes, {})
  const wish = { app: app.id, account, release: gone.id }
  await assert.rejects(
    inTransaction(pool, (tx) => rollback(tx, wish, secrets)),
    new Problem(
      'invalid_params',
      `Cannot roll back to v${gone.version}: its slug was destroyed, as those of old releases are.`,
    ),
  )
  const slugWish = { app: app.id, account, slug: gone.slug, description: undefined }
  await assert.rejects(
    inTransaction(pool, (tx) => releaseSlug(tx, slugWish, secrets)),
    new Problem('invalid_params', 'That slug was destroyed, as old ones are.'),
  )
  rmSync(data.root, { recursive: true })

  async function deployed() {
    return (await releasesOf(pool, app.id)).filter(hasSlug)
  }
})

function hasSlug<It extends Release>(
  it: It,
): it is It & { slug: NonNullable<Release['slug']> } {
  return it.slug !== null
}
