import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'

const pool = aDatabase()

test('a process is promised in a dyno that is up, to whoever has the URL', async () => {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy()
  const app = `/apps/${made.app.name}`
  const { body } = await call(`POST ${app}/dynos`, { command: 'sleep 1000' })
  const name = String(body['name'])
  const wish = { command: 'bash', env: { TERM: 'xterm', COLUMNS: 120, LINES: 40 } }

  const early = await call(`POST ${app}/dynos/${name}`, wish)
  assert.equal(early.status, 422)
  assert.match(JSON.stringify(early.body), /is starting, not up/)
  const nowhere = await call(`POST ${app}/dynos/web.9`, wish)
  assert.equal(nowhere.status, 404)

  await pool.query(`update dynos set state = 'up'`)
  const { status, body: promised } = await call(`POST ${app}/dynos/${name}`, wish)
  assert.equal(status, 201)
  const url = String(promised['attach_url'])
  assert.match(url, /^rendezvous:\/\/localhost:\d+\/[0-9a-f]{48}$/)
  const { rows } = await pool.query('select command, columns, rows from entries')
  assert.deepEqual(rows, [{ command: 'bash', columns: 120, rows: 40 }])
  // By which rendezvous knows who may not be inside any more.
  for (const table of ['entries', 'one_offs']) {
    const { rows: by } = await pool.query(
      `select description from ${table} join authorizations a on a.id = "authorization"`,
    )
    assert.deepEqual(by, [{ description: 'a test' }], table)
  }
})

test('an account has only so many of them waiting, of all its apps', async () => {
  const { call, account } = await anApi(pool)
  await pool.query('delete from entries')
  const [one, other] = [await withADyno(), await withADyno()]
  const enter = (at: string) => call(`POST ${at}`, { command: 'bash' })
  assert.equal((await enter(one)).status, 201)
  await pool.query(
    `insert into entries (id, dyno, command, environment, attach_secret_sha256, account)
     select gen_random_uuid(), dyno, command, environment, sha256(n::text::bytea), account
       from entries, generate_series(1, 99) n where account = $1`,
    [account.id],
  )
  const refused = await enter(other)
  assert.deepEqual([refused.status, refused.body['id']], [429, 'rate_limit'])
  await pool.query(
    'delete from entries where id = any(array(select id from entries where account = $1 limit 1))',
    [account.id],
  )
  assert.equal((await enter(other)).status, 201)

  /** The path of a dyno that is up. */
  async function withADyno(): Promise<string> {
    const made = await anApp(pool)
    await made.deploy()
    const { body } = await call(`POST /apps/${made.app.name}/dynos`, {
      command: 'sleep 1000',
    })
    await pool.query(`update dynos set state = 'up'`)
    return `/apps/${made.app.name}/dynos/${String(body['name'])}`
  }
})
