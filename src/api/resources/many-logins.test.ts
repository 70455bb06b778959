/** Logging in to an account that has as many tokens as it may. */

import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { type AnApi, anApi } from '../../../test/an-api.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { createAccount } from '../../actions/create-account.ts'
import { hashOfNew, setPassword } from '../../actions/set-password.ts'
import type { Account } from '../../model/app.ts'
import { MOST_AUTHORIZATIONS, MOST_LOGINS } from '../../model/limits.ts'
import { authorizationsOf } from '../../store/accounts.ts'

const pool = aDatabase()
const PASSWORD = 'correct horse battery'

suite('logging in where there are many tokens', () => {
  let api: AnApi
  let ann: Account

  before(async () => {
    api = await anApi(pool)
    ann = await createAccount(pool, { email: 'ann@example.com', name: null })
    await setPassword(pool, ann, await hashOfNew(ann, PASSWORD))
    await have(MOST_AUTHORIZATIONS, 'a program', { byLogin: false })
  })

  test('as many as there may be keep nobody out, and stay', async () => {
    const made = await logIn({ expires_in: 60 })
    assert.equal(made.status, 201)
    const bearer = { authorization: `Bearer ${made.body['access_token']?.['token']}` }
    assert.equal((await api.call('GET /account', undefined, bearer)).status, 200)
    assert.equal(await countOf('a program'), MOST_AUTHORIZATIONS)
    // What the login made lets nobody make more than before.
    const more = await api.call('POST /oauth/authorizations', {}, bearer)
    assert.equal(more.status, 422)
  })

  test('what has no end is a program’s, though a password asked for it', async () => {
    assert.equal((await logIn({})).status, 422)
    assert.equal((await logIn({ expires_in: null })).status, 422)
  })

  test('of logins the oldest goes for another, and no program’s token', async () => {
    await pool.query('delete from authorizations where by_login')
    await have(MOST_LOGINS, 'a login', { byLogin: true })
    const [oldest = ''] = await logins()
    assert.equal((await logIn({ expires_in: 60 })).status, 201)
    const left = await logins()
    assert.equal(left.length, MOST_LOGINS)
    assert.ok(!left.includes(oldest))
    assert.equal(await countOf('a login'), MOST_LOGINS - 1)
    assert.equal(await countOf('a program'), MOST_AUTHORIZATIONS)
  })

  function logIn(wish: object) {
    const pair = Buffer.from(`ann@example.com:${PASSWORD}`).toString('base64')
    return api.call('POST /oauth/authorizations', wish, {
      authorization: `Basic ${pair}`,
    })
  }

  async function have(
    many: number,
    description: string,
    { byLogin }: { readonly byLogin: boolean },
  ): Promise<void> {
    await pool.query(
      `insert into authorizations
              (id, account, token_sha256, description, by_login, expires_at, created_at)
       select gen_random_uuid(), $1, decode(md5($3 || n), 'hex'), $3, $4,
              case when $4 then now() + interval '1 day' end, now() - make_interval(secs => n)
         from generate_series(1, $2::integer) as n`,
      [ann.id, many, description, byLogin],
    )
  }

  async function countOf(description: string): Promise<number> {
    const all = await authorizationsOf(pool, ann.id)
    return all.filter((it) => it.description === description).length
  }
})

/** Ids, the oldest first. */
async function logins(): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    'select id from authorizations where by_login order by created_at',
  )
  return rows.map(({ id }) => id)
}
