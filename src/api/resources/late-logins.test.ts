/** A password that is changed or taken while it is being looked at, which takes its time, lets nobody in. */

import assert from 'node:assert/strict'
import { before, beforeEach, suite, test } from 'node:test'

import { aLightHash } from '../../../test/a-light-hash.ts'
import { anApi, type AnApi } from '../../../test/an-api.ts'
import { secrets } from '../../../test/an-app.ts'
import { aToken } from '../../../test/a-tenancy.ts'
import { oneAfterTheOther } from '../../../test/one-after-the-other.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { createAccount } from '../../actions/create-account.ts'
import { removePassword, setPassword } from '../../actions/set-password.ts'
import { setTwoFactor } from '../../actions/set-two-factor.ts'
import type { Account } from '../../model/app.ts'
import { authorizationsOf, removeAuthorizations } from '../../store/accounts.ts'
import { hasPassword } from '../../store/passwords.ts'
import type { Queryable } from '../../store/queryable.ts'

const pool = aDatabase()
const PASSWORD = 'correct horse battery'

suite('logging in at the wrong moment', () => {
  let api: AnApi
  let ann: Account
  let hash: string
  let other: string

  before(async () => {
    api = await anApi(pool)
    ann = await createAccount(pool, { email: 'ann@example.com', name: null })
    hash = aLightHash(PASSWORD)
    other = aLightHash('another horse battery')
  })
  beforeEach(async () => {
    await setPassword(pool, ann, hash)
    await pool.query('delete from two_factors')
    await removeAuthorizations(pool, ann.id)
  })

  const revoke = async (tx: Queryable) => {
    await removePassword(tx, ann)
    await removeAuthorizations(tx, ann.id)
  }
  const givenAnother = (tx: Queryable) => setPassword(tx, ann, other)

  async function logInByPage() {
    const { body } = await api.call('POST /auth', { description: 'a CLI' })
    const page = new URL(body['browser_url'] ?? '', 'http://localhost')
    const { statusCode } = await api.server.inject({
      method: 'POST',
      url: '/auth/browser',
      headers: {
        origin: 'http://localhost',
        host: 'localhost',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: new URLSearchParams({
        login: page.searchParams.get('login') ?? '',
        email: ann.email,
        password: PASSWORD,
      }).toString(),
    })
    return statusCode
  }

  for (const [what, change] of [
    ['taken', revoke],
    ['changed', givenAnother],
  ] as const) {
    test(`nobody is logged in on the page by a password that is just being ${what}`, async () => {
      assert.equal(await answeredAfter(change, logInByPage), 401)
      assert.deepEqual(await statesOfLogins(), ['asked'])
    })

    test(`nor asked for a code: ${what}`, async () => {
      await setTwoFactor(pool, ann, secrets)
      assert.equal(await answeredAfter(change, logInByPage), 401)
      assert.deepEqual(await statesOfLogins(), ['asked'])
    })

    test(`nor by heroku login -i: ${what}`, async () => {
      const logIn = () =>
        api.call(
          'POST /oauth/authorizations',
          {},
          {
            authorization: `Basic ${Buffer.from(`${ann.email}:${PASSWORD}`).toString('base64')}`,
          },
        )
      assert.equal((await answeredAfter(change, logIn)).status, 401)
      assert.deepEqual(await authorizationsOf(pool, ann.id), [])
    })

    test(`nor can another be put in the place of one that is just being ${what}`, async () => {
      const authorization = `Bearer ${await aToken(pool, ann)}`
      const next = { password: PASSWORD, new_password: 'a stranger’s battery' }
      const put = () => api.call('PATCH /account', next, { authorization })
      const { status, body } = await answeredAfter(change, put)
      assert.equal(status, 422)
      assert.match(body['message'] ?? '', /current password is another/)
      assert.equal(await hasPassword(pool, ann.id), what === 'changed')
    })
  }

  test('one that stays logs in', async () => {
    assert.equal(await answeredAfter(async () => {}, logInByPage), 200)
    assert.deepEqual(await statesOfLogins(), ['granted'])
  })
})

/** What is answered to a request whose password is right, and then is not any more. */
async function answeredAfter<T>(
  change: (tx: Queryable) => Promise<unknown>,
  request: () => Promise<T>,
): Promise<T> {
  const end = await oneAfterTheOther(
    pool,
    async (tx) => {
      await change(tx)
      // That is asked for once the password was right.
      await tx.query('lock table two_factors in access exclusive mode')
    },
    request,
  )
  assert.ok(end.status === 'fulfilled')
  return end.value
}

async function statesOfLogins(): Promise<string[]> {
  const { rows } = await pool.query<{ state: string }>(
    'delete from browser_logins returning state',
  )
  return rows.map((row) => row.state)
}
