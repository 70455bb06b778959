/** Builds that wait for others of their app: however many, they cost no others anything. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { oneAfterTheOther } from '../../test/one-after-the-other.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createAccount } from '../actions/create-account.ts'
import { createBuild } from '../actions/create-build.ts'
import { MINUTE } from '../lib/clock.ts'
import type { Account, App } from '../model/app.ts'
import type { Build } from '../model/build.ts'
import { findBuild } from '../store/builds.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import type { BuildDeps, Here } from './build-deps.ts'
import { endInFailure } from './end-build.ts'
import { prepareBuild } from './prepare-build.ts'

const pool = aDatabase()
const { signal } = new AbortController()
/** As much as is asked of by a build that waits, or ends. */
const deps = { pool, region: 'us' } as Partial<BuildDeps & Here> as BuildDeps & Here

const askFor = (tx: Queryable, app: App, account: Account) =>
  createBuild(tx, { app, account, source: null, sourceUrl: Buffer.from('sealed') })

/** How often it was said that it wants a look. */
async function wakesOf({ id }: Build): Promise<number> {
  const { rows } = await pool.query<{ wakes: number }>(
    `select wakes::integer from work where kind = 'build' and subject = $1`,
    [id],
  )
  return rows[0]?.wakes ?? 0
}

test('who waits for another build of its app is looked at when that ends', async () => {
  const { app, account } = await anApp(pool)
  const [first, second] = [
    await inTransaction(pool, (tx) => askFor(tx, app, account)),
    await inTransaction(pool, (tx) => askFor(tx, app, account)),
  ]
  assert.ok((await prepareBuild(second, deps, signal)) >= MINUTE)
  const wakes = await wakesOf(second)
  await endInFailure(first, 'It was to.', deps)
  assert.equal(await wakesOf(second), wakes + 1)
})

test('… also one that is asked for as that ends', async () => {
  const { app, account } = await anApp(pool)
  const first = await inTransaction(pool, (tx) => askFor(tx, app, account))
  const wakes = await wakesOf(first)
  let second = first
  const end = await oneAfterTheOther(
    pool,
    async (tx) => (second = await askFor(tx, app, account)),
    () => endInFailure(first, 'It was to.', deps),
  )
  assert.equal(end.status, 'fulfilled')
  assert.equal((await findBuild(pool, first.id))?.status, 'failed')
  assert.equal(await wakesOf(second), wakes + 1)
})

test('an account has so many that wait or run, of all apps; others go on', async () => {
  const { app } = await anApp(pool)
  const { app: last } = await anApp(pool)
  const person = (name: string) =>
    inTransaction(pool, (tx) => createAccount(tx, { email: `${name}@example.com`, name }))
  const account = await person('busy')
  const its = await inTransaction(pool, (tx) => askFor(tx, app, account))
  const fill = (to: App, count: number) =>
    pool.query(
      `insert into builds (id, app, account, source_url, stack)
       select gen_random_uuid(), $1, account, source_url, stack
         from builds, generate_series(1, $3) where id = $2`,
      [to.id, its.id, count],
    )
  await fill(app, 48)
  for (let apps = 0; apps < 3; apps++) await fill((await anApp(pool)).app, 50)
  await inTransaction(pool, (tx) => askFor(tx, last, account))
  await assert.rejects(
    inTransaction(pool, (tx) => askFor(tx, last, account)),
    { id: 'rate_limit', message: /200 builds that you asked for, of any apps/ },
  )
  const other = await person('other')
  await inTransaction(pool, (tx) => askFor(tx, last, other))
})
