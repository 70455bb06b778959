/** `heroku login` in a browser, both ends of it: what the CLI asks, and what the page sends. */

import assert from 'node:assert/strict'
import { afterEach, before, beforeEach, suite, test } from 'node:test'

import { aLightHash } from '../../../test/a-light-hash.ts'
import { anApi, type AnApi } from '../../../test/an-api.ts'
import { secrets } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { createAccount } from '../../actions/create-account.ts'
import { removePassword, setPassword } from '../../actions/set-password.ts'
import { setTwoFactor } from '../../actions/set-two-factor.ts'
import type { Account } from '../../model/app.ts'
import { digestOf } from '../../model/token.ts'
import { authorizationsOf } from '../../store/accounts.ts'
import { findAudit } from '../../store/audit.ts'
import { inTransaction } from '../../store/queryable.ts'

const pool = aDatabase()
const PASSWORD = 'correct horse battery'

interface Begun {
  readonly browser_url: string
  readonly cli_url: string
  readonly token: string
}

suite('logging in by a browser', () => {
  let api: AnApi
  let base: string
  let ann: Account
  let hash: string

  before(async () => {
    ann = await createAccount(pool, { email: 'ann@example.com', name: null })
    hash = aLightHash(PASSWORD)
  })
  beforeEach(async () => {
    api = await anApi(pool)
    base = await api.server.listen({ port: 0, host: '127.0.0.1' })
    await setPassword(pool, ann, hash)
    for (const table of ['two_factors', 'browser_logins', 'audit', 'authorizations']) {
      await pool.query(`delete from ${table}`)
    }
  })
  afterEach(() => api.server.close())

  async function begin(description = 'Heroku CLI login from my-machine'): Promise<Begun> {
    const answer = await fetch(`${base}/auth`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ description }),
    })
    assert.equal(answer.status, 201)
    return (await answer.json()) as Begun
  }

  function wait({ cli_url, token }: Begun, at: string = base): Promise<Response> {
    return fetch(`${at}${cli_url}`, { headers: { authorization: `Bearer ${token}` } })
  }

  async function outcome(begun: Begun): Promise<Record<string, string>> {
    return (await (await wait(begun)).json()) as Record<string, string>
  }

  async function look({ browser_url }: Begun) {
    return read(await fetch(`${base}${browser_url}`))
  }

  async function send(
    begun: Begun,
    fields: Record<string, string>,
    headers: Record<string, string> = { origin: base, 'sec-fetch-site': 'same-origin' },
  ) {
    const login = new URL(begun.browser_url, base).searchParams.get('login') ?? ''
    return read(
      await fetch(`${base}/auth/browser`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ login, ...fields }),
      }),
    )
  }

  const right = { email: 'ann@example.com', password: PASSWORD }

  test('a page asks for a password, and the CLI that waits gets a token', async () => {
    const begun = await begin()
    const waiting = await wait(begun)
    assert.equal(waiting.headers.get('cache-control'), 'no-store')
    const { status, text } = await look(begun)
    assert.equal(status, 200)
    assert.match(text, /Heroku CLI login from my-machine.*127\.0\.0\.1/)
    assert.match(text, /<label for="email">[^]*<label for="password">/)

    const granted = await send(begun, right)
    assert.equal(granted.status, 200)
    assert.match(granted.text, /You are logged in[^]*ann@example\.com/)
    const { access_token: token } = (await waiting.json()) as { access_token: string }
    const account = await api.call('GET /account', undefined, {
      authorization: `Bearer ${token}`,
    })
    assert.equal(account.body['email'], 'ann@example.com')
    const [made] = await authorizationsOf(pool, ann.id)
    assert.equal(made?.description, 'Heroku CLI login from my-machine')
    const days = ((made?.expiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000
    assert.ok(days > 29 && days <= 30)
    assert.deepEqual(await written(), [
      ['ann@example.com', '127.0.0.1', 'password', 200],
      ['ann@example.com', '127.0.0.1', made?.id, 200],
    ])
  })

  test('it is good once', async () => {
    const begun = await begin()
    await send(begun, right)
    const both = await Promise.all([outcome(begun), outcome(begun).catch(() => ({}))])
    assert.equal(both.filter((it) => 'access_token' in it).length, 1)
    assert.equal((await wait(begun)).status, 401)
    assert.equal((await send(begun, right)).status, 404)
    assert.equal((await authorizationsOf(pool, ann.id)).length, 1)
  })

  test('once decided it is decided, and says so', async () => {
    const begun = await begin()
    await send(begun, right)
    const again = await send(begun, { refuse: 'yes' })
    assert.match(again.text, /You are logged in/)
    assert.equal((await send(begun, right)).status, 409)
    assert.ok('access_token' in (await outcome(begun)))
  })

  test('a wrong password is told, and the address need not be typed again', async () => {
    const begun = await begin()
    const { status, text } = await send(begun, { ...right, password: 'wrong"<' })
    assert.equal(status, 401)
    assert.match(text, /role="alert">[^]*do not go together/)
    assert.match(text, /value="ann@example\.com"/)
    assert.ok(!text.includes('wrong'))
    const unknown = await send(begun, { ...right, email: 'nobody@example.com' })
    assert.equal(unknown.status, 401)
    assert.equal((await send(begun, {})).status, 401)
    assert.deepEqual(await written(), [
      ['ann@example.com', '127.0.0.1', 'wrong password', 401],
      [null, '127.0.0.1', 'wrong password', 401],
      [null, '127.0.0.1', 'wrong password', 401],
    ])
    assert.equal((await send(begun, right)).status, 200)
  })

  test('a second factor is asked for when the password was right', async () => {
    const { recoveryCodes } = await inTransaction(pool, (tx) =>
      setTwoFactor(tx, ann, secrets),
    )
    const begun = await begin()
    const asked = await send(begun, right)
    assert.equal(asked.status, 403)
    assert.match(asked.text, /<label for="code">/)
    assert.ok(!asked.text.includes(PASSWORD))
    const wrong = await send(begun, { code: 'aaaa-bbbb-cccc-dddd' })
    assert.equal(wrong.status, 403)
    assert.match(wrong.text, /role="alert">[^]*wrong, or was used[^]*<label for="code">/)
    // The password again is no way around.
    assert.equal((await send(begun, right)).status, 403)
    const granted = await send(begun, { code: recoveryCodes[0] ?? '' })
    assert.match(granted.text, /You are logged in/)
    assert.ok('access_token' in (await outcome(begun)))
    assert.deepEqual((await written()).map((it) => (it as unknown[])[2]).slice(0, -1), [
      'code missing',
      'wrong code',
      'wrong code',
      'recovery code',
    ])
  })

  test('it may be refused, and the CLI is told', async () => {
    const begun = await begin()
    const waiting = outcome(begun)
    assert.match((await send(begun, { refuse: 'yes' })).text, /Refused/)
    assert.match((await waiting)['error'] ?? '', /refused/)
  })

  test('its time ends, and the CLI is told', async () => {
    const begun = await begin()
    const waiting = await wait(begun)
    await pool.query(`update browser_logins set expires_at = now() - interval '1 second'`)
    assert.match(((await waiting.json()) as { error: string }).error, /in time/)
    assert.equal((await look(begun)).status, 404)
    assert.equal((await send(begun, right)).status, 404)
    assert.equal((await wait(begun)).status, 401)
    await begin()
    const { rows } = await pool.query('select from browser_logins')
    assert.equal(rows.length, 1)
  })

  test('it outlives a restart of the API', async () => {
    const begun = await begin()
    await api.server.close()
    api = await anApi(pool)
    base = await api.server.listen({ port: 0, host: '127.0.0.1' })
    await send(begun, right)
    assert.ok('access_token' in (await outcome(begun)))
  })

  test('who waits when the API ends is told', async () => {
    await api.server.close()
    const ending = new AbortController()
    api = await anApi(pool, { ending: ending.signal })
    base = await api.server.listen({ port: 0, host: '127.0.0.1' })
    const waiting = await wait(await begin())
    ending.abort()
    assert.match(((await waiting.json()) as { error: string }).error, /restarting/)
  })

  test('it is over when the password goes before the CLI has its token', async () => {
    const begun = await begin()
    await send(begun, right)
    await removePassword(pool, ann)
    assert.equal((await wait(begun)).status, 401)
    assert.equal((await authorizationsOf(pool, ann.id)).length, 0)
  })

  test('nobody waits for what is another`s', async () => {
    const [mine, other] = [await begin(), await begin()]
    for (const it of [
      { ...mine, token: other.token },
      { ...mine, token: '' },
      { ...mine, token: new URL(mine.browser_url, base).searchParams.get('login') ?? '' },
      { ...mine, cli_url: '/auth/cli/x' },
    ]) {
      assert.equal((await wait(it)).status, 401)
    }
    // What the CLI has opens no page.
    const page = await look({ ...mine, browser_url: `/auth/browser?login=${mine.token}` })
    assert.equal(page.status, 404)
  })

  test('the answer begins at once, with a blank', async () => {
    const gone = new AbortController()
    const begun = await begin()
    const answer = await fetch(`${base}${begun.cli_url}`, {
      headers: { authorization: `Bearer ${begun.token}` },
      signal: gone.signal,
    })
    const first = await answer.body?.getReader().read()
    assert.equal(Buffer.from(first?.value ?? []).toString(), ' ')
    gone.abort()
    // And who has gone is given no token.
    await send(begun, right)
    assert.ok('access_token' in (await outcome(begun)))
    assert.equal((await authorizationsOf(pool, ann.id)).length, 1)
  })

  test('a form from elsewhere is not taken', async () => {
    const begun = await begin()
    const foreign: Record<string, string>[] = [
      {},
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: base, 'sec-fetch-site': 'cross-site' },
      { origin: base, 'sec-fetch-site': 'same-site' },
    ]
    for (const headers of foreign) {
      const { status, text } = await send(begun, right, headers)
      assert.equal(status, 403, JSON.stringify(headers))
      assert.match(text, /nothing was done/)
    }
    assert.equal((await written()).length, 0)
    // Nor may one make a login.
    const made = await fetch(`${base}/auth`, {
      method: 'POST',
      body: new URLSearchParams({ description: 'x' }),
    })
    assert.equal(made.status, 400)
  })

  test('a page runs nothing, is in no frame and is not kept', async () => {
    const begun = await begin(`<script>alert(1)</script>"'&\u202e\u001b[31m`)
    const { text, headers } = await look(begun)
    for (const it of ['<script', '\u001b', '\u202e']) assert.ok(!text.includes(it), it)
    assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&amp;/)
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of [
      `default-src 'none'`,
      `form-action 'self'`,
      `frame-ancestors 'none'`,
      `base-uri 'none'`,
    ]) {
      assert.ok(policy.includes(part), part)
    }
    assert.ok(!policy.includes('unsafe'))
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-frame-options'), 'DENY')
    const posted = await send(begun, { ...right, email: '"><script>' })
    assert.ok(!posted.text.includes('<script'))
    assert.equal(posted.headers.get('content-security-policy'), policy)
  })

  test('attempts are bounded here, too', async () => {
    const begun = await begin()
    for (let tries = 0; tries < 10; tries += 1) {
      await send(begun, { ...right, password: 'wrong' })
    }
    const { status, text } = await send(begun, right)
    assert.equal(status, 429)
    assert.match(text, /Too many attempts/)
  })

  test('only digests are kept, and the audit log has none of it', async () => {
    const begun = await begin()
    await send(begun, right)
    const pageToken = new URL(begun.browser_url, base).searchParams.get('login') ?? ''
    const { rows } = await pool.query<{ all: string }>(
      `select (select string_agg(t::text, ' ') from browser_logins t) ||
              (select string_agg(t::text, ' ') from audit t) as all`,
    )
    const all = rows[0]?.all ?? ''
    assert.ok(all.includes(digestOf(pageToken).toString('hex')))
    for (const secret of [pageToken, begun.token, PASSWORD]) {
      assert.ok(!all.includes(secret))
    }
  })
})

/** Who, from where, and what came of it: of the password, or the token that was made. */
async function written(): Promise<unknown[]> {
  const entries = await findAudit(pool, { most: 100 })
  return entries.map((it) => [
    it.email,
    it.address,
    it.nouns['login'] ?? it.nouns['made'],
    it.status,
  ])
}

async function read(answer: Response) {
  return {
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  }
}
