/** All apps share the installation's account with an authority: none uses it up for the others. */

import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { addDomain } from '../actions/add-domain.ts'
import { createAccount } from '../actions/create-account.ts'
import { createTeam } from '../actions/create-team.ts'
import { removeDomain } from '../actions/remove-domain.ts'
import { refreshAcm, setAcm } from '../actions/set-acm.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { App } from '../model/app.ts'
import type { DomainId } from '../model/ids.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { setAcmeDirectory } from '../store/acme.ts'
import { changeOwner, findApp } from '../store/apps.ts'
import { domainsOf } from '../store/domains.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { lookAfterCertificate } from './look-after-certificate.ts'
import { ORDERS, ORDERS_OF_NAME } from './plan-ordering.ts'

const pool = aDatabase()

interface Refusal {
  readonly status: number
  readonly type: string
  readonly retryAfter?: string
}
const TOO_MANY = { status: 429, type: 'urn:ietf:params:acme:error:rateLimited' }
const NO = { status: 403, type: 'urn:ietf:params:acme:error:rejectedIdentifier' }

/** An authority that takes orders but those it refuses, and notes whose they were. */
async function anAuthority(t: TestContext) {
  const ordered: string[] = []
  const its: { refuses: (hostname: string) => Refusal | undefined } = {
    refuses: () => undefined,
  }
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const at = (path: string) => `http://${request.headers.host}/${path}`
    response.setHeader('Replay-Nonce', 'nonce')
    response.setHeader('Content-Type', 'application/json')
    const say = (status: number, body: object) =>
      response.writeHead(status, { Location: at('one') }).end(JSON.stringify(body))
    if (request.url !== '/order') {
      const directory = {
        newNonce: at('nonce'),
        newAccount: at('account'),
        newOrder: at('order'),
      }
      const says: Record<string, object> = {
        '/dir': directory,
        '/authorization': { status: 'valid', challenges: [] },
      }
      return say(200, says[request.url ?? ''] ?? {})
    }
    const { payload } = (await json(request)) as { payload: string }
    const { identifiers } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      identifiers: [{ value: string }]
    }
    const hostname = identifiers[0].value
    ordered.push(hostname)
    const refusal = its.refuses(hostname)
    if (!refusal) {
      return say(201, { status: 'ready', authorizations: [at('authorization')] })
    }
    const { status, type, retryAfter } = refusal
    if (retryAfter) response.setHeader('Retry-After', retryAfter)
    return say(status, { type, detail: `No ${hostname}.` })
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  await setAcmeDirectory(pool, {
    url: `http://127.0.0.1:${port}/dir`,
    email: null,
    trusted: null,
  })
  return Object.assign(its, { ordered })
}

async function json(request: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

let owners = 0

/** With automatic certificates, of an owner that has no other. */
async function aServedApp(hostnames: readonly string[]) {
  const { app: made } = await anApp(pool)
  const email = `owner-${++owners}@example.com`
  const app = await inTransaction(pool, async (tx) => {
    const owner = await createAccount(tx, { email, name: null })
    await changeOwner(tx, made.id, owner.id)
    return found(tx, made.id)
  })
  await inTransaction(pool, (tx) => setAcm(tx, app, { on: true, account: app.owner }))
  for (const hostname of hostnames) await add(app, hostname)
  return app
}

async function found(db: Queryable, id: App['id']): Promise<App> {
  const app = await findApp(db, id)
  assert.ok(app)
  return app
}

const add = (app: App, hostname: string) =>
  inTransaction(pool, async (tx) =>
    addDomain(tx, await found(tx, app.id), { hostname, account: app.owner }),
  )

async function domainOf(app: App, hostname: string) {
  const domain = (await domainsOf(pool, app.id)).find((it) => it.hostname === hostname)
  assert.ok(domain)
  return domain
}

/** A look at a domain of the app, `ahead` of now. */
function looking(ahead = 0) {
  const clock = { now: () => later(new Date(), ahead) }
  const look = lookAfterCertificate({ pool, secrets, clock })
  const { signal } = new AbortController()
  return async (app: App, hostname: string) =>
    look((await domainOf(app, hostname)).id, signal)
}

const numbered = (count: number, of: string) =>
  Array.from({ length: count }, (_, nth) => `n${nth}.${of}`)

const orderOf = async (id: DomainId) => {
  const { rows } = await pool.query('select true from acme_orders where domain = $1', [
    id,
  ])
  return rows.length
}

test('an owner has so many ordered in a time; others go on', async (t) => {
  const authority = await anAuthority(t)
  const hostnames = numbered(ORDERS.most + 2, 'greedy.example.com')
  const greedy = await aServedApp(hostnames)
  const modest = await aServedApp(['modest.example.com'])
  const look = looking()
  for (const hostname of hostnames) await look(greedy, hostname)
  assert.equal(authority.ordered.length, ORDERS.most)

  const [over = ''] = hostnames.slice(-1)
  const waits = await domainOf(greedy, over)
  assert.equal(waits.acmStatus, 'pending')
  assert.match(
    String(waits.acmStatusReason),
    /at the earliest: the owner of the app had 60/,
  )
  await look(greedy, over)
  const { rows } = await pool.query(
    `select true from log_lines where message like 'Certificate for n61.greedy%waits: %'`,
  )
  assert.equal(rows.length, 1, 'it is told in the log once')

  // Neither is it gone round by the domain's being taken away and given anew.
  await inTransaction(pool, (tx) =>
    removeDomain(tx, greedy, { domain: waits, account: greedy.owner }),
  )
  await add(greedy, over)
  assert.ok((await look(greedy, over)) > 0)
  assert.ok(!authority.ordered.includes(over))

  await look(modest, 'modest.example.com')
  assert.equal(authority.ordered.at(-1), 'modest.example.com')
  // Nor by a team of its owner's.
  const teams = await aServedApp(['team.example.com'])
  await inTransaction(pool, async (tx) => {
    const wish = { name: 'greedy', admin: greedy.owner }
    const team = await createTeam(tx, wish, HEROKU_LIMITS)
    await changeOwner(tx, teams.id, team.id)
  })
  await look(teams, 'team.example.com')
  assert.ok(!authority.ordered.includes('team.example.com'))

  await looking(ORDERS.within + MINUTE)(greedy, over)
  assert.equal(authority.ordered.at(-1), over)
  const had = await domainOf(greedy, over)
  assert.equal(had.acmStatusReason, null)
  assert.equal(await orderOf(had.id), 1)
})

test('an authority that had too many orders is asked for none, of anybody', async (t) => {
  const authority = await anAuthority(t)
  const first = await aServedApp(['first.example.org', 'second.example.org'])
  const other = await aServedApp(['other.example.org'])
  authority.refuses = () => ({ ...TOO_MANY, retryAfter: '7200' })
  const look = looking()
  await look(first, 'first.example.org')
  const refused = await domainOf(first, 'first.example.org')
  assert.equal(refused.acmStatus, 'failing')
  assert.match(String(refused.acmStatusReason), /No first\.example\.org/)

  await look(other, 'other.example.org')
  assert.deepEqual(authority.ordered, ['first.example.org'])
  const waits = await domainOf(other, 'other.example.org')
  assert.equal(waits.acmStatus, 'pending')
  assert.match(String(waits.acmStatusReason), /the authority takes no orders/)
  assert.doesNotMatch(String(waits.acmStatusReason), /first/, `it is others' name`)

  // Of the one whom it refused, not so soon: it may be for their names alone.
  await looking(2 * MINUTE)(first, 'second.example.org')
  assert.equal(authority.ordered.length, 1)
  // Refused as well, it is for nobody's names: all wait longer.
  await looking(2 * MINUTE)(other, 'other.example.org')
  assert.equal(authority.ordered.length, 2)
  const third = await aServedApp(['third.example.org'])
  await looking(5 * MINUTE)(third, 'third.example.org')
  assert.equal(authority.ordered.length, 2)

  authority.refuses = () => undefined
  await looking(7 * MINUTE)(third, 'third.example.org')
  assert.equal(authority.ordered.at(-1), 'third.example.org')
  // It takes some again; whom it refused waits as long as it said.
  const rests = await looking(8 * MINUTE)(first, 'first.example.org')
  assert.ok(rests > 0)
  assert.equal(authority.ordered.length, 3)
  await looking(2 * HOUR + MINUTE)(first, 'first.example.org')
  assert.equal(authority.ordered.at(-1), 'first.example.org')
})

test('a name that was refused is not tried again at will', async (t) => {
  const authority = await anAuthority(t)
  const app = await aServedApp(['bad.example.net'])
  authority.refuses = () => NO
  // Twice, so that its next try is five minutes later.
  await looking()(app, 'bad.example.net')
  await looking(2 * MINUTE)(app, 'bad.example.net')
  assert.equal(authority.ordered.length, 2)

  for (const on of [false, true]) {
    await inTransaction(pool, (tx) => setAcm(tx, app, { on, account: app.owner }))
  }
  await looking(3 * MINUTE)(app, 'bad.example.net')
  assert.equal(authority.ordered.length, 2)
  const again = await domainOf(app, 'bad.example.net')
  assert.equal(again.acmStatus, 'pending')
  assert.match(String(again.acmStatusReason), /the last order failed/)

  // Its third failure has it wait for half an hour, a refresh for a quarter.
  await looking(8 * MINUTE)(app, 'bad.example.net')
  assert.equal(authority.ordered.length, 3)
  const acm = await found(pool, app.id)
  await inTransaction(pool, (tx) => refreshAcm(tx, acm))
  await looking(20 * MINUTE)(app, 'bad.example.net')
  assert.equal(authority.ordered.length, 3)
  await looking(24 * MINUTE)(app, 'bad.example.net')
  assert.equal(authority.ordered.length, 4)
})

test('nor is it by being taken away and given anew, to whichever app', async (t) => {
  const authority = await anAuthority(t)
  authority.refuses = () => NO
  const hostname = 'moved.example.net'
  const app = await aServedApp([hostname])
  const other = await aServedApp([])
  const move = async (from: App, to: App) => {
    const domain = await domainOf(from, hostname)
    await inTransaction(pool, (tx) =>
      removeDomain(tx, from, { domain, account: from.owner }),
    )
    await add(to, hostname)
  }
  await looking()(app, hostname)
  await move(app, app)
  assert.ok((await looking()(app, hostname)) > 0)
  assert.equal(authority.ordered.length, 1)
  const waits = await domainOf(app, hostname)
  assert.equal(waits.acmStatus, 'pending')
  assert.match(String(waits.acmStatusReason), /one was ordered for this name lately/)
  await move(app, other)
  await looking()(other, hostname)
  assert.equal(authority.ordered.length, 1)

  // Anew each minute, it has no more in an hour than an authority takes.
  for (let minute = 1; minute < 60; minute++) {
    await looking(minute * MINUTE + SECOND)(other, hostname)
    await move(other, other)
  }
  assert.equal(authority.ordered.length, ORDERS_OF_NAME.most)
})

test('one that answers nobody is left alone by all for a while', async (t) => {
  const authority = await anAuthority(t)
  await setAcmeDirectory(pool, {
    url: 'http://127.0.0.1:1/dir',
    email: null,
    trusted: null,
  })
  const one = await aServedApp(['one.example.info'])
  const other = await aServedApp(['other.example.info'])
  await looking()(one, 'one.example.info')
  assert.equal((await domainOf(one, 'one.example.info')).acmStatus, 'failing')
  await looking()(other, 'other.example.info')
  assert.equal((await domainOf(other, 'other.example.info')).acmStatus, 'pending')
  assert.equal(authority.ordered.length, 0)
})
