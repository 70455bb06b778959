import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import { findAudit, forgetAuditBefore } from '../store/audit.ts'

const pool = aDatabase()

beforeEach(async () => {
  await pool.query('delete from audit')
})

async function written(app?: string): Promise<string[]> {
  const entries = await findAudit(pool, { app, most: 100 })
  return entries.map(
    (it) =>
      `${it.email} ${it.address} ${it.method} ${it.route} ${Object.keys(it.nouns).join()} ${it.status}`,
  )
}

test('every change is written down, and what was refused; reading is not', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'audited' })
  await call('GET /apps/audited')
  await call('PATCH /apps/audited', { maintenance: 'yes' })
  await call('PATCH /apps/audited', { name: 'renamed' })
  await call('DELETE /apps/none')
  await call('DELETE /apps/renamed', undefined, { authorization: 'Bearer x' })
  assert.deepEqual(await written(), [
    'dev@example.com 127.0.0.1 POST /apps made,name 201',
    'dev@example.com 127.0.0.1 PATCH /apps/:app app 422',
    'dev@example.com 127.0.0.1 PATCH /apps/:app app 200',
    'dev@example.com 127.0.0.1 DELETE /apps/:app app 404',
  ])
  // Under either name.
  assert.equal((await written('renamed')).length, 2)
  assert.equal((await written('audited')).length, 2)
})

test('no secret is', async () => {
  const { call, token } = await anApi(pool)
  await call('POST /apps', { name: 'secretive' })
  await call('PATCH /apps/secretive/config-vars', { KEY: 'a-secret-value' })
  const made = await call('POST /oauth/authorizations', { description: 'a-description' })
  const { rows } = await pool.query<{ all: string }>(
    'select string_agg(audit::text, chr(10)) as all from audit',
  )
  const all = rows[0]?.all ?? ''
  assert.match(all, /config-vars[^]*authorizations/)
  const { access_token } = made.body as unknown as { access_token: { token: string } }
  for (const secret of ['a-secret-value', token, access_token.token]) {
    assert.ok(!all.includes(secret), secret)
  }
})

test('what the rate limit turns away fills nothing', async () => {
  const { call } = await anApi(pool, { allowance: { requestsPerHour: 1 } })
  await call('POST /apps')
  const refused = await call('POST /apps')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers['ratelimit-remaining'], '0')
  assert.equal((await written()).length, 1)
})

test('it is kept until it is old', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps')
  await call('POST /apps')
  await pool.query(
    `update audit set at = now() - interval '91 days' where id = (select min(id) from audit)`,
  )
  await forgetAuditBefore(pool, new Date(Date.now() - 90 * 24 * 3600 * 1000))
  assert.equal((await written()).length, 1)
})
