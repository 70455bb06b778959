import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aGrantedLogin } from '../../../test/a-browser-login.ts'
import { anApi } from '../../../test/an-api.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { createAccount } from '../../actions/create-account.ts'
import { systemClock } from '../../lib/clock.ts'
import { type AccountId, newId } from '../../model/ids.ts'
import { MOST_AUTHORIZATIONS } from '../../model/limits.ts'
import { authorizationsOf } from '../../store/accounts.ts'
import { browserLoginOfCli } from '../../store/browser-logins.ts'
import { awaitBrowserLogin } from '../await-browser-login.ts'

const pool = aDatabase()

const MESSAGE = `You've reached your limit of 500 authorizations. Revoke some first: heroku authorizations:revoke.`

test('one is found by its id, if it is the account`s own', async () => {
  const { call } = await anApi(pool)
  const made = await call('POST /oauth/authorizations', { description: 'mine' })
  const at = `/oauth/authorizations/${String(made.body['id'])}`
  assert.equal((await call(`GET ${at}`)).body['description'], 'mine')
  const changed = await call(`PATCH ${at}`, { description: 'still mine' })
  assert.equal(changed.body['description'], 'still mine')
  for (const other of ['mine', newId<'authorization'>()]) {
    assert.equal((await call(`GET /oauth/authorizations/${other}`)).status, 404)
  }
  const ann = await createAccount(pool, { email: 'ann@example.com', name: null })
  await pool.query('update authorizations set account = $2 where id = $1', [
    made.body['id'],
    ann.id,
  ])
  assert.equal((await call(`GET ${at}`)).status, 404)
})

test('an account has so many authorizations, and those that are over go', async () => {
  const { call, account } = await anApi(pool)
  const present = (await authorizationsOf(pool, account.id)).length
  await pool.query(
    `insert into authorizations (id, account, token_sha256, description, expires_at)
     select gen_random_uuid(), $1, decode(md5(n::text), 'hex'), 'one of many',
            case when n = 1 then now() - interval '1 second' end
       from generate_series(1, $2) as n`,
    [account.id, MOST_AUTHORIZATIONS - present],
  )
  const make = () => call('POST /oauth/authorizations', { description: 'one more' })

  // One of those that are there has expired.
  const both = await Promise.all([make(), make()])
  assert.deepEqual(
    both.map((it) => it.status).toSorted((a, b) => a - b),
    [201, 422],
  )
  const refused = both.find((it) => it.status === 422)?.body
  assert.deepEqual(refused, { id: 'invalid_params', message: MESSAGE, limit: 500 })
  const all = await authorizationsOf(pool, account.id)
  assert.equal(all.length, MOST_AUTHORIZATIONS)
  assert.ok(all.every((it) => it.expiresAt === null))

  // Whoever made them all with a stolen one keeps its owner from nothing.
  assert.deepEqual(Object.keys(await byBrowser(account.id)), ['access_token'])
  assert.equal((await authorizationsOf(pool, account.id)).length, MOST_AUTHORIZATIONS + 1)
  assert.equal((await make()).status, 422)
  const one = all.find((it) => it.description === 'one of many')
  assert.equal((await call(`DELETE /oauth/authorizations/${one?.id}`)).status, 200)
  assert.equal((await make()).status, 201)
})

/** What a CLI that logs in by a browser is told, once the account's owner has granted it. */
async function byBrowser(account: AccountId) {
  const { id, cliSha256 } = await aGrantedLogin(pool, account)
  const { signal } = new AbortController()
  const deps = { pool, clock: systemClock, ending: signal }
  const look = () => browserLoginOfCli(pool, id, cliSha256)
  const by = { address: '127.0.0.1', request: newId<'request'>() }
  let said = ''
  for await (const piece of awaitBrowserLogin(deps, { look, by, signal })) said += piece
  return JSON.parse(said) as Record<string, string>
}
