import assert from 'node:assert/strict'
import { before, beforeEach, suite, test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { createAccount } from '../actions/create-account.ts'
import { createApp } from '../actions/create-app.ts'
import { createBuild } from '../actions/create-build.ts'
import type { Account, App } from '../model/app.ts'
import type { Build } from '../model/build.ts'
import { buildsBefore, nextBuildOf } from './builds.ts'
import { inTransaction } from './queryable.ts'

const pool = aDatabase()
const places = { ofAll: 4, ofEach: 2 }
let many: Account
let other: Account

function appOf(owner: Account): Promise<App> {
  const wish = { account: owner, name: undefined, region: 'us', stack: 'debian-12' }
  return inTransaction(pool, (tx) => createApp(tx, wish, secrets))
}

async function aBuild(account: Account, app?: App): Promise<Build> {
  const of = app ?? (await appOf(account))
  const wish = { app: of, account, source: null, sourceUrl: Buffer.from('sealed') }
  return inTransaction(pool, (tx) => createBuild(tx, wish))
}

async function builds(account: Account, count: number): Promise<Build[]> {
  const made: Build[] = []
  for (let i = 0; i < count; i += 1) made.push(await aBuild(account))
  return made
}

function turns(of: readonly Build[]): Promise<(number | undefined)[]> {
  return Promise.all(of.map((it) => buildsBefore(pool, it, places)))
}

async function compiles({ id }: Build): Promise<void> {
  await pool.query("update builds set step = 'compile' where id = $1", [id])
}

// The database comes first: hooks of one level do not wait for one another.
suite('turns of builds', () => {
  before(async () => {
    await anApp(pool)
    const account = (email: string) =>
      inTransaction(pool, (tx) => createAccount(tx, { email, name: null }))
    many = await account('many@example.com')
    other = await account('other@example.com')
  })
  beforeEach(() => pool.query('delete from builds'))

  test('who waits longest is next, and an account alone has all places', async () => {
    const all = await builds(many, 6)
    assert.deepEqual(await turns(all), [0, 0, 0, 0, 1, 2])
    for (const it of all.slice(0, 4)) await compiles(it)
    assert.deepEqual(await turns(all.slice(4)), [1, 2])
  })

  test('while others wait, an account has so many places, whosesoever the apps are', async () => {
    const first = await builds(many, 3)
    const theirs = await aBuild(many, await appOf(other))
    const [one, two, three] = await builds(other, 3)
    assert.ok(one && two && three)
    assert.deepEqual(await turns([...first, theirs]), [0, 0, 1, 2])
    assert.deepEqual(await turns([one, two, three]), [0, 0, 3])
    for (const it of first.slice(0, 2)) await compiles(it)
    await compiles(one)
    assert.deepEqual(await turns([...first.slice(2), theirs, two, three]), [1, 2, 0, 3])
    await pool.query('delete from builds where id = any($1)', [[two.id, three.id]])
    assert.deepEqual(await turns([...first.slice(2), theirs]), [0, 1])
  })

  test("an app's builds take turns, and only the first of them takes another's", async () => {
    const app = await appOf(many)
    const [first, second] = [await aBuild(many, app), await aBuild(many, app)]
    const last = await aBuild(other)
    assert.deepEqual(await turns([first, second, last]), [0, undefined, 0])
    for (const it of await builds(many, 3)) await compiles(it)
    assert.deepEqual(await turns([first, second, last]), [1, undefined, 0])
  })

  test('one that has begun goes on, though by a clock that was set back it is the younger', async () => {
    const app = await appOf(many)
    const [begun, later] = [await aBuild(many, app), await aBuild(many, app)]
    await pool.query(`update builds set address = '172.20.0.2' where id = $1`, [begun.id])
    await pool.query(
      `update builds set created_at = created_at - interval '3 hours' where id = $1`,
      [later.id],
    )
    assert.deepEqual(await turns([begun, later]), [0, undefined])
    assert.equal(await nextBuildOf(pool, app.id), begun.id)
  })

  test('a build whose look fails keeps nobody waiting, and gets its turn all the same', async () => {
    const [failing, next] = [await aBuild(many), await aBuild(other)]
    for (const it of await builds(other, 3)) await compiles(it)
    assert.deepEqual(await turns([failing, next]), [0, 1])
    await pool.query('update work set failures = 1 where subject = $1', [failing.id])
    assert.deepEqual(await turns([failing, next]), [0, 0])
  })
})
