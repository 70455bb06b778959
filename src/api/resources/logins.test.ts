/** Passwords and two-factor codes, as `heroku login -i` brings them. */

import assert from 'node:assert/strict'
import { before, beforeEach, suite, test } from 'node:test'

import { aLightHash } from '../../../test/a-light-hash.ts'
import { anApi, type AnApi, type Answer } from '../../../test/an-api.ts'
import { secrets } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { aToken } from '../../../test/a-tenancy.ts'
import { unbase32 } from '../../../test/unbase32.ts'
import { createAccount } from '../../actions/create-account.ts'
import { hashOfNew, removePassword, setPassword } from '../../actions/set-password.ts'
import { setTwoFactor } from '../../actions/set-two-factor.ts'
import { later, MINUTE } from '../../lib/clock.ts'
import type { Account } from '../../model/app.ts'
import { stepAt, totpOf } from '../../model/totp.ts'
import { findAudit } from '../../store/audit.ts'
import { inTransaction } from '../../store/queryable.ts'

const pool = aDatabase()
const PASSWORD = 'correct horse battery'

interface Made {
  readonly user: { readonly email: string }
  readonly access_token: { readonly token: string }
}

suite('logging in', () => {
  let api: AnApi
  let ann: Account
  let hash: string
  let now = new Date()

  before(async () => {
    ann = await createAccount(pool, { email: 'ann@example.com', name: null })
    hash = aLightHash(PASSWORD)
  })
  beforeEach(async () => {
    // Another one has counted no attempts.
    api = await anApi(pool, { clock: { now: () => now } })
    await setPassword(pool, ann, hash)
    await pool.query('delete from two_factors')
    await pool.query('delete from audit')
    now = new Date()
  })

  function logIn(
    password: string,
    { email = 'ann@example.com', code }: { email?: string; code?: string } = {},
  ): Promise<Answer> {
    return api.call(
      'POST /oauth/authorizations',
      { description: 'a login', expires_in: 60, scope: ['global'] },
      {
        authorization: basic(email, password),
        ...(code !== undefined && { 'heroku-two-factor-code': code }),
      },
    )
  }

  async function statusWith(code: string): Promise<number> {
    return (await logIn(PASSWORD, { code })).status
  }

  async function change(body: object, code?: string): Promise<Answer> {
    return api.call('PATCH /account', body, {
      authorization: `Bearer ${await aToken(pool, ann)}`,
      ...(code !== undefined && { 'heroku-two-factor-code': code }),
    })
  }

  /** Returns what makes the code so many steps from now, and the recovery codes. */
  async function twoFactor() {
    const { url, recoveryCodes } = await inTransaction(pool, (tx) =>
      setTwoFactor(tx, ann, secrets),
    )
    const secret = unbase32(new URL(url).searchParams.get('secret') ?? '')
    return {
      codeAt: (steps: number) => totpOf(secret, stepAt(now) + steps),
      recoveryCodes,
    }
  }

  test('a password makes a token, whatever case the address is in', async () => {
    await setPassword(pool, ann, await hashOfNew(ann, PASSWORD))
    const made = await logIn(PASSWORD, { email: 'Ann@Example.com' })
    assert.equal(made.status, 201)
    const { user, access_token } = made.body as unknown as Made
    assert.equal(user.email, 'ann@example.com')
    const { token } = access_token
    const account = await api.call('GET /account', undefined, {
      authorization: `Bearer ${token}`,
    })
    assert.equal(account.body['email'], 'ann@example.com')
    assert.equal(account.body['two_factor_authentication'], false)
    assert.deepEqual(await written(), [['ann@example.com', '127.0.0.1', 'password', 201]])
  })

  test('what is wrong is refused alike, and written down without what was typed', async () => {
    const bob = await createAccount(pool, { email: 'bob@example.com', name: null })
    const answers = [
      await logIn('wrong horse battery'),
      await logIn(PASSWORD, { email: bob.email }),
      await logIn(PASSWORD, { email: 'nobody@example.com' }),
      await logIn(PASSWORD, { email: 'no address' }),
      await logIn('', { email: '' }),
      await logIn('\0', { email: 'a\0@example.com' }),
      await logIn('x'.repeat(10_000)),
    ]
    for (const { status, body } of answers) {
      assert.equal(status, 401)
      assert.deepEqual(body, {
        id: 'unauthorized',
        message: 'Invalid credentials provided.',
      })
    }
    assert.deepEqual(
      await written(),
      [ann.email, bob.email, null, null, null, null, ann.email].map(wrong),
    )
  })

  test('a password is good for nothing else', async () => {
    for (const request of ['GET /account', 'GET /oauth/authorizations', 'POST /apps']) {
      const { status } = await api.call(request, undefined, {
        authorization: basic('ann@example.com', PASSWORD),
      })
      assert.equal(status, 401, request)
    }
  })

  test('a token as the password is as good as ever, second factor or not', async () => {
    await twoFactor()
    const token = await aToken(pool, ann)
    assert.equal((await logIn(token, { email: 'whoever@example.com' })).status, 201)
  })

  test('without its password an account is let in no more', async () => {
    await removePassword(pool, ann)
    assert.equal((await logIn(PASSWORD)).status, 401)
  })

  test('a second factor wants a code, good once and for its time', async () => {
    const { codeAt } = await twoFactor()
    const missing = await logIn(PASSWORD)
    assert.deepEqual([missing.status, missing.body['id']], [403, 'two_factor'])
    // Who does not know the password is not told that there is one.
    assert.equal((await logIn('wrong horse battery', { code: codeAt(0) })).status, 401)
    assert.equal(await statusWith(codeAt(2)), 403)
    assert.equal(await statusWith(codeAt(0)), 201)
    assert.equal(await statusWith(codeAt(0)), 403)
    assert.equal(await statusWith(codeAt(-1)), 403)
    assert.equal(
      await statusWith(` ${codeAt(1).slice(0, 3)} ${codeAt(1).slice(3)} `),
      201,
    )
    assert.deepEqual(
      (await written()).map((it) => (it as unknown[])[2]),
      [
        'code missing',
        'wrong password',
        'wrong code',
        'code',
        'wrong code',
        'wrong code',
        'code',
      ],
    )
  })

  test('of a code that comes twice at once one is taken', async () => {
    const code = (await twoFactor()).codeAt(0)
    const both = await Promise.all([logIn(PASSWORD, { code }), logIn(PASSWORD, { code })])
    assert.deepEqual(
      both.map((it) => it.status).toSorted((a, b) => a - b),
      [201, 403],
    )
  })

  test('a recovery code is good once', async () => {
    const { recoveryCodes } = await twoFactor()
    assert.equal(new Set(recoveryCodes).size, 10)
    const [first = '', second = ''] = recoveryCodes
    assert.equal(await statusWith(first), 201)
    assert.equal(await statusWith(first), 403)
    assert.equal(await statusWith(second.toUpperCase().replaceAll('-', ' ')), 201)
    const another = await twoFactor()
    assert.equal(await statusWith(recoveryCodes[2] ?? ''), 403)
    assert.equal(await statusWith(another.recoveryCodes[2] ?? ''), 201)
  })

  test('GET /account says whether there is a second factor', async () => {
    await twoFactor()
    const { body } = await api.call('GET /account', undefined, {
      authorization: `Bearer ${await aToken(pool, ann)}`,
    })
    assert.equal(body['two_factor_authentication'], true)
  })

  test('after ten wrong attempts an account has to wait, and others have not', async () => {
    for (let tries = 0; tries < 10; tries += 1) {
      assert.equal((await logIn('wrong horse battery')).status, 401)
    }
    const { status, body } = await logIn(PASSWORD)
    assert.deepEqual([status, body['id']], [429, 'rate_limit'])
    assert.equal((await written()).length, 10)
    const others = await createAccount(pool, { email: 'carl@example.com', name: null })
    await setPassword(pool, others, hash)
    assert.equal((await logIn(PASSWORD, { email: others.email })).status, 201)
    // A token is no attempt.
    assert.equal((await logIn(await aToken(pool, ann))).status, 201)
    now = later(now, 7 * MINUTE)
    for (let tries = 0; tries < 3; tries += 1) {
      assert.equal((await logIn(PASSWORD)).status, 201)
    }
  })

  test('nor are codes guessed, nor attempts multiplied by being made at once', async () => {
    // So that all are there before the first is done.
    await setPassword(pool, ann, await hashOfNew(ann, PASSWORD))
    const { codeAt } = await twoFactor()
    const guess = codeAt(0) === '000000' ? '111111' : '000000'
    const answers = await Promise.all(
      Array.from({ length: 14 }, () => logIn(PASSWORD, { code: guess })),
    )
    const statuses = answers.map((it) => it.status)
    assert.ok(statuses.filter((it) => it === 403).length <= 10)
    assert.equal((await logIn(PASSWORD, { code: codeAt(0) })).status, 429)
  })

  suite('PATCH /account', () => {
    test('changes a password for who knows the one there is', async () => {
      const next = { password: PASSWORD, new_password: 'another horse battery' }
      assert.equal((await change(next)).status, 200)
      assert.equal((await logIn(PASSWORD)).status, 401)
      assert.equal((await logIn(next.new_password)).status, 201)
    })

    test('and refuses what can not be meant', async () => {
      const refusals: [object, RegExp][] = [
        [{ new_password: 'another horse battery' }, /current password is required/],
        [
          { password: 'wrong', new_password: 'another horse battery' },
          /current password is another/,
        ],
        [{ password: PASSWORD, new_password: 'too short' }, /minimum is 12/],
        [{ password: PASSWORD, new_password: 'x'.repeat(257) }, /maximum is 256/],
        [{ password: PASSWORD, new_password: 'x'.repeat(12) }, /one character/],
        [{ password: PASSWORD, new_password: 'Ann@example.com!' }, /e-mail address/],
        [{ password: PASSWORD, new_password: 12 }, /new_password/],
      ]
      for (const [body, message] of refusals) {
        const { status, body: answer } = await change(body)
        assert.equal(status, 422, JSON.stringify(body))
        assert.match(String(answer['message']), message)
      }
      assert.equal((await logIn(PASSWORD)).status, 201)
    })

    test('nobody but the operator gives an account its first', async () => {
      await removePassword(pool, ann)
      const { status, body } = await change({ password: '', new_password: PASSWORD })
      assert.equal(status, 422)
      assert.match(String(body['message']), /account:password ann@example\.com/)
    })

    test('a second factor is asked for there, too', async () => {
      const { codeAt } = await twoFactor()
      const next = { password: PASSWORD, new_password: 'another horse battery' }
      assert.equal((await change(next)).body['id'], 'two_factor')
      // A code is not used up by what is refused otherwise.
      const short = { ...next, new_password: 'short' }
      assert.equal((await change(short, codeAt(0))).status, 422)
      assert.equal((await change(next, codeAt(0))).status, 200)
    })

    test('a name needs no password', async () => {
      assert.equal((await change({ name: 'Ann' })).body['name'], 'Ann')
      assert.equal((await change({ name: null })).body['name'], null)
    })
  })

  test('neither password nor secret is in the database', async () => {
    await setPassword(pool, ann, await hashOfNew(ann, PASSWORD))
    const { recoveryCodes } = await twoFactor()
    const { rows } = await pool.query<{ all: string }>(
      `select (select string_agg(t::text, ' ') from passwords t) ||
              (select string_agg(t::text, ' ') from two_factors t) ||
              (select string_agg(t::text, ' ') from recovery_codes t) as all`,
    )
    const all = rows[0]?.all ?? ''
    assert.match(all, /\$scrypt\$/)
    for (const secret of [PASSWORD, ...recoveryCodes]) assert.ok(!all.includes(secret))
  })
})

async function written(): Promise<unknown[]> {
  const entries = await findAudit(pool, { most: 100 })
  return entries.map((it) => [it.email, it.address, it.nouns['login'], it.status])
}

function wrong(email: string | null): unknown[] {
  return [email, '127.0.0.1', 'wrong password', 401]
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
