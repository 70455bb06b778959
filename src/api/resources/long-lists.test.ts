/** Lists that grow without an end: what is asked for of them is all that is read. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type Answer, anApi } from '../../../test/an-api.ts'
import { type AnApp, anApp, secrets } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { createAccount } from '../../actions/create-account.ts'
import { setConfigVars } from '../../actions/set-config-vars.ts'
import { newId } from '../../model/ids.ts'
import {
  addTransfer,
  SETTLED_KEPT,
  settleTransfer,
  transfersOf,
} from '../../store/app-transfers.ts'
import { type Database, inTransaction } from '../../store/queryable.ts'

const pool = aDatabase()

type Row = Readonly<Record<string, unknown>>
type Call = Awaited<ReturnType<typeof anApi>>['call']

const rowsOf = ({ body }: Answer) => body as unknown as readonly Row[]

/** All parts of a list, one after the other, as clients get them. */
async function partsOf(call: Call, url: string, first: string): Promise<Row[][]> {
  const parts: Row[][] = []
  for (let range: string | undefined = first; range !== undefined;) {
    const answer = await call(`GET ${url}`, undefined, { range })
    range = answer.headers['next-range'] as string | undefined
    assert.equal(answer.status, range === undefined ? 200 : 206)
    parts.push([...rowsOf(answer)])
  }
  return parts
}

/** An API, and the most rows that it has read at once. */
async function aCountedApi() {
  let most = 0
  const counted: Database = {
    connect: () => pool.connect(),
    async query(text, values = []) {
      const found = await pool.query(text, [...values])
      most = Math.max(most, found.rows.length)
      return found
    },
  }
  const { call } = await anApi(counted)
  return { call, mostRead: () => most }
}

/** Two of each are of one millisecond. */
async function manyBuilds({ app, account }: AnApp, count: number): Promise<void> {
  await pool.query(
    `insert into builds (id, app, account, status, step, source_version, stack, created_at)
     select gen_random_uuid(), $1, $2, 'failed', null, n, 'debian-12',
            '2026-01-01T00:00:00Z'::timestamptz + n * interval '500 microseconds'
       from generate_series(1, $3) as n`,
    [app.id, account.id, count],
  )
}

async function manyReleases({ app, account }: AnApp, count: number): Promise<void> {
  await pool.query(
    `insert into releases (id, app, version, status, description, account, config_vars)
     select gen_random_uuid(), $1, n + 2, 'succeeded', 'One of many', $2, ''
       from generate_series(1, $3) as n`,
    [app.id, account.id, count],
  )
}

const sourceOf = (it: Row) => Number((it['source_blob'] as { version: string }).version)

test('builds come in parts, of which none is missed, and no more is read', async () => {
  const made = await anApp(pool)
  await manyBuilds(made, 25)
  const { call, mostRead } = await aCountedApi()
  const url = `/apps/${made.app.name}/builds`
  const upwards = Array.from({ length: 25 }, (_, n) => n + 1)

  const newest = await partsOf(call, url, 'created_at ..; max=10, order=desc')
  assert.deepEqual(
    newest.map((it) => it.length),
    [10, 10, 5],
  )
  assert.deepEqual(newest.flat().map(sourceOf), upwards.toReversed())
  const oldest = await partsOf(call, url, 'created_at ..; max=7')
  assert.deepEqual(oldest.flat().map(sourceOf), upwards)
  const byId = await partsOf(call, url, 'id ..; max=10;')
  const ids = byId.flat().map((it) => String(it['id']))
  assert.equal(new Set(ids).size, 25)
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(mostRead(), 11)
})

test('a range of builds goes from one time to another, as they are shown', async () => {
  const made = await anApp(pool)
  await manyBuilds(made, 9)
  const { call } = await anApi(pool)
  const asked = async (range: string) => {
    const answer = await call(`GET /apps/${made.app.name}/builds`, undefined, { range })
    assert.equal(answer.status, 200, range)
    return rowsOf(answer).map(sourceOf)
  }
  const [second, third] = ['2026-01-01T00:00:00.002Z', '2026-01-01T00:00:00.003Z']
  assert.deepEqual(await asked(`created_at ${second}..${third}`), [4, 5, 6, 7])
  assert.deepEqual(await asked(`created_at ]${second}..${third}`), [6, 7])
  assert.deepEqual(
    await asked(`created_at ${third}..${second}; order=desc`),
    [7, 6, 5, 4],
  )
  assert.deepEqual(await asked(`created_at ]${third}..${second}; order=desc`), [5, 4])
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  for (const odd of [
    'yesterday',
    '0000-01-01T00:00:00Z',
    '2026-99-99',
    '+010000-01-01',
  ]) {
    assert.deepEqual(await asked(`created_at ${odd}..`), all)
  }
  assert.equal((await asked('id nonsense..')).length, 9)
})

test('releases come in parts, and no more is read', async () => {
  const made = await anApp(pool)
  await manyReleases(made, 20)
  const { call, mostRead } = await aCountedApi()
  const url = `/apps/${made.app.name}/releases`
  const upwards = Array.from({ length: 22 }, (_, n) => n + 1)

  const newest = await partsOf(call, url, 'version ..; max=10, order=desc')
  assert.deepEqual(
    newest.flat().map((it) => it['version']),
    upwards.toReversed(),
  )
  const some = await call(`GET ${url}`, undefined, { range: 'version 3..5' })
  assert.deepEqual(
    rowsOf(some).map((it) => it['version']),
    [3, 4, 5],
  )
  assert.equal(some.headers['content-range'], 'version 3..5')
  assert.equal((await partsOf(call, url, 'id ..; max=5')).flat().length, 22)
  assert.equal(mostRead(), 11)
})

test('a release says shortly what it is, however many config vars it sets', async () => {
  const { app, account } = await anApp(pool)
  const { call } = await anApi(pool)
  const changes = Object.fromEntries(
    Array.from({ length: 900 }, (_, n) => [`VAR_${n}`, 'x']),
  )
  await inTransaction(pool, (tx) =>
    setConfigVars(tx, { app: app.id, account, changes }, secrets),
  )
  const { body } = await call(`GET /apps/${app.name}/releases/3`)
  const description = String(body['description'])
  assert.match(description, /^Set VAR_0, VAR_1, .*…$/)
  assert.equal(description.length, 500)
  const { rows } = await pool.query<{ most: number }>(
    'select max(length(message)) as most from events where app = $1',
    [app.id],
  )
  assert.ok((rows[0]?.most ?? Infinity) < 600)
})

test('a build has so many buildpacks, of so many letters', async () => {
  const { app } = await anApp(pool)
  const { call } = await anApi(pool)
  const build = async (buildpacks: object[]) => {
    const source_blob = { url: 'https://example.com/source.tgz' }
    const made = await call(`POST /apps/${app.name}/builds`, { source_blob, buildpacks })
    return made.status
  }
  const install = async (urls: string[]) => {
    const updates = urls.map((buildpack) => ({ buildpack }))
    const url = `/apps/${app.name}/buildpack-installations`
    return (await call(`PUT ${url}`, { updates })).status
  }
  const longest = `https://example.com/${'x'.repeat(480)}`
  const most = Array.from({ length: 20 }, () => longest)
  assert.equal(await build(most.map((url) => ({ url }))), 201)
  assert.equal(await build([...most, longest].map((url) => ({ url }))), 422)
  assert.equal(await build([{ url: `${longest}x` }]), 422)
  assert.equal(await build([{ name: `${longest}x` }]), 422)
  assert.equal(await install(most), 200)
  assert.equal(await install([...most, longest]), 422)
  assert.equal(await install([`${longest}x`]), 422)
})

test('of an app`s settled offers the last are kept', async () => {
  const { app, account } = await anApp(pool)
  const ann = await createAccount(pool, { email: 'ann@example.com', name: null })
  for (let n = 0; n < SETTLED_KEPT + 3; n += 1) {
    const id = newId<'app transfer'>()
    const offer = { id, app: app.id, owner: account.id, recipient: ann.id }
    assert.ok(await addTransfer(pool, offer))
    assert.ok(await settleTransfer(pool, id, 'declined'))
  }
  const id = newId<'app transfer'>()
  const offer = { id, app: app.id, owner: account.id, recipient: ann.id }
  assert.ok(await addTransfer(pool, offer))
  assert.equal(await addTransfer(pool, { ...offer, id: newId() }), false)
  const all = await transfersOf(pool, ann.id)
  assert.equal(all.length, SETTLED_KEPT + 1)
  assert.equal(all.at(-1)?.id, id)
})
