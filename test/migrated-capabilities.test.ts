/** What rested in clear in the database of an earlier version, brought to this one's. */

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { migrate } from '../src/installation/migrate.ts'
import { HOUR } from '../src/lib/clock.ts'
import { newId } from '../src/model/ids.ts'
import { digestOf } from '../src/model/token.ts'
import { findBuild, hasPushUnderWay, sourceUrls } from '../src/store/builds.ts'
import { openLogSession } from '../src/store/log-session-readers.ts'
import { findRelease } from '../src/store/releases.ts'
import { sealSourceUrls } from '../src/store/seal-source-urls.ts'
import { sourceToGet, sourceToPut } from '../src/store/sources.ts'
import { secrets } from './an-app.ts'
import { aDatabase } from './postgres.ts'

const URL = 'https://user:secret-of-a-store@example.com/a.tgz'
const directory = join(import.meta.dirname, '../migrations')
const pool = aDatabase()
const account = newId<'account'>()
const app = newId<'app'>()
const source = newId<'source'>()
const session = newId<'log session'>()
const release = newId<'release'>()
const [fetched, pushed] = [newId<'build'>(), newId<'build'>()]

async function asItWas(): Promise<void> {
  await pool.query('drop schema public cascade; create schema public')
  await pool.query(
    'create table migrations (name text primary key, applied_at timestamptz not null default now())',
  )
  const before = globSync('*.sql', { cwd: directory }).filter((it) => it < '0115')
  for (const name of before.toSorted()) {
    await pool.query(readFileSync(join(directory, name), 'utf8'))
    await pool.query('insert into migrations (name) values ($1)', [name])
  }
  const add = async (table: string, row: Readonly<Record<string, unknown>>) => {
    const names = Object.keys(row)
    const places = names.map((_, i) => `$${i + 1}`)
    await pool.query(
      `insert into ${table} (${names.join(', ')}) values (${places.join(', ')})`,
      Object.values(row),
    )
  }
  await add('regions', {
    id: newId(),
    name: 'us',
    description: '',
    country: '',
    locale: '',
    domain: 'localhost',
    http_port: 8080,
    subnet: '172.20.0.0/18',
  })
  await add('accounts', { id: account, email: 'dev@example.com' })
  await add('apps', {
    id: app,
    name: 'old',
    owner: account,
    region: 'us',
    stack: 'debian-12',
  })
  await add('sources', {
    id: source,
    account,
    put_token: 'old-put-token',
    get_token: 'old-get-token',
    open_until: 'infinity',
  })
  await add('releases', {
    id: release,
    app,
    version: 1,
    status: 'succeeded',
    description: '',
    account,
    config_vars: '',
    output_token: 'old-release-token',
  })
  const build = { app, account, stack: 'debian-12' }
  await add('builds', {
    ...build,
    id: fetched,
    source_url: URL,
    output_token: 'old-token-1',
  })
  await add('builds', {
    ...build,
    id: pushed,
    source,
    source_url: `git:old#${source}`,
    output_token: 'old-token-2',
  })
  await add('log_sessions', { id: session, app, account, lines: 1, tail: true })
}

test('what was told stays good where it can, and is nowhere in clear', async () => {
  await asItWas()
  await migrate(pool)
  await sealSourceUrls(pool, secrets)

  assert.equal((await sourceToPut(pool, digestOf('old-put-token'), HOUR))?.id, source)
  assert.equal((await sourceToGet(pool, digestOf('old-get-token')))?.id, source)
  const opened = await openLogSession(pool, digestOf(session))
  assert.equal(opened?.app, app)
  assert.notEqual(opened.id, session)
  assert.equal((await findRelease(pool, app, release))?.hasReleasePhase, true)
  assert.equal((await findBuild(pool, fetched))?.pushed, false)
  assert.equal(await hasPushUnderWay(pool, app), true)
  const urls = await sourceUrls(pool, [{ id: fetched }, { id: pushed }], secrets)
  assert.deepEqual([...urls], [[fetched, URL]])

  for (const table of ['sources', 'builds', 'releases', 'log_sessions']) {
    const { rows } = await pool.query<{ row: string }>(
      `select to_jsonb(t)::text as row from ${table} t`,
    )
    const text = rows.map(({ row }) => row).join('\n')
    assert.doesNotMatch(text, /old-|secret-of-a-store/)
    assert.ok(!text.includes(session))
  }
})
