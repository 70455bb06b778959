import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { liesAhead } from '../model/noted-times.ts'
import { type DomainId, newId } from '../model/ids.ts'
import { findBuild } from './builds.ts'
import { noteBuildAnew, noteOrderAnew } from './noted-times.ts'

const pool = aDatabase()
const now = new Date('2026-01-01T00:00:00Z')

test('only what lies ahead by more than clocks differ was noted by one that was set back', () => {
  assert.equal(liesAhead(now, [null, later(now, -HOUR), later(now, SECOND)]), false)
  assert.equal(liesAhead(now, [null, later(now, -HOUR), later(now, 2 * SECOND)]), true)
})

test('of a build what lies ahead is noted as now, and nothing else', async () => {
  const { app, account } = await anApp(pool)
  const id = newId<'build'>()
  await pool.query(
    `insert into builds (id, app, account, step, source_url, stack, started_at, failing_since)
     values ($1, $2, $3, 'compile', '', '', $4, $5)`,
    [id, app.id, account.id, later(now, HOUR), later(now, -MINUTE)],
  )
  await noteBuildAnew(pool, id, now)
  const build = await findBuild(pool, id)
  assert.deepEqual([build?.startedAt, build?.failingSince], [now, later(now, -MINUTE)])
})

test('of an order at an authority likewise', async () => {
  const { app } = await anApp(pool)
  const domain = newId<'domain'>()
  await pool.query(
    `insert into domains (id, app, hostname) values ($1, $2, 'www.example.com')`,
    [domain, app.id],
  )
  await pool.query(
    `insert into acme_orders (domain, directory, url, private_key, created_at)
     values ($1, '', '', $2, $3)`,
    [domain, secrets.seal('key', domain), later(now, HOUR)],
  )
  const createdAt = async () => {
    const { rows } = await pool.query<{ createdAt: Date }>(
      'select created_at as "createdAt" from acme_orders',
    )
    return rows[0]?.createdAt
  }
  await noteOrderAnew(pool, domain satisfies DomainId, now)
  assert.deepEqual(await createdAt(), now)
  await noteOrderAnew(pool, domain, later(now, MINUTE))
  assert.deepEqual(await createdAt(), now)
})
