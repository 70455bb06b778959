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
