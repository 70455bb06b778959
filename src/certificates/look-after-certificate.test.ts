import assert from 'node:assert/strict'
import type { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'

import { type AnAuthority, anAuthority } from '../../test/an-authority.ts'
import { aRouter, type ARouter, SECRETS } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { DAY, pause, SECOND, systemClock } from '../lib/clock.ts'
import type { AppId, DomainId } from '../model/ids.ts'
import { ask } from '../router/haproxy-socket.ts'
import { setAcm, setAcmeDirectory } from '../store/acme.ts'
import { domainsOf } from '../store/domains.ts'
import { lookAfterCertificate } from './look-after-certificate.ts'

const pool = aDatabase()

/** A router, an authority that asks it, and an app with a domain that wants a certificate. */
async function aDomain(t: TestContext, hostname: string) {
  const router = await aRouter(t, pool, { byTls: true })
  const authority = await anAuthority(router.port)
  t.after(() => authority.end())
  const { directory: url, trusted } = authority
  await setAcmeDirectory(pool, { url, email: 'ops@example.com', trusted })
  const app = await router.app(hostname.replaceAll('.', '-'), { web: 0 })
  await router.domain(app, hostname)
  await setAcm(pool, app, true)
  await router.look()
  await router.start()
  const [domain] = await domainsOf(pool, app)
  assert.ok(domain)
  return { router, authority, app, domain: domain.id }
}

function looking(ahead = 0) {
  const clock = { now: () => new Date(systemClock.now().getTime() + ahead) }
  const look = lookAfterCertificate({ pool, secrets: SECRETS, clock })
  return (domain: DomainId) => look(domain, AbortSignal.timeout(30 * SECOND))
}

const stateOf = async (app: AppId) => {
  const [{ acmStatus, acmStatusReason, sniEndpoint } = {}] = await domainsOf(pool, app)
  return { acmStatus, acmStatusReason, sniEndpoint }
}

/** Certificate and router are looked at by turns, as the loop would, until that is so. */
async function lookUntil(
  claim: () => Promise<boolean>,
  { router, domain }: { readonly router: ARouter; readonly domain: DomainId },
  look = looking(),
): Promise<number> {
  const deadline = performance.now() + 40 * SECOND
  for (;;) {
    const delay = await look(domain)
    await router.look()
    if (await claim()) return delay
    assert.ok(performance.now() < deadline, 'in vain')
    if (delay > 0) await pause(200)
  }
}

/** Verified by clients that trust the authority. */
function servedTo(
  { tlsPort }: ARouter,
  servername: string,
  ca: string,
): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: tlsPort, servername, ca }, () => {
      const shown = socket.getPeerX509Certificate()
      socket.end()
      if (shown) resolve(shown)
    })
    socket.on('error', reject)
  })
}

test('a domain gets a certificate, is served with it, and gets another in time', async (t) => {
  const it = await aDomain(t, 'www.example.com')
  const { router, app, domain } = it
  await lookUntil(async () => (await stateOf(app)).acmStatus === 'cert issued', it)
  await router.look()
  const root = await it.authority.root()
  const first = await servedTo(router, 'www.example.com', root)
  assert.match(first.subjectAltName ?? '', /DNS:www\.example\.com/)
  const { rows } = await pool.query('select true from acme_orders')
  assert.equal(rows.length, 0, 'the order is done with')
  const life = first.validToDate.getTime() - Date.now()
  const rests = await looking()(domain)
  assert.ok(rests > life / 2 && rests < life, `it rests ${rests / DAY} days`)

  const later = looking(rests + DAY)
  const serial = async () =>
    (await servedTo(router, 'www.example.com', root)).serialNumber
  const before = first.serialNumber
  await lookUntil(async () => (await serial()) !== before, it, later)
  const lines = await pool.query<{ message: string }>(
    `select message from log_lines where message like 'Certificate for%'`,
  )
  assert.equal(lines.rows.length, 2)
})

test('what the authority says no to is told, and tried again later', async (t) => {
  const it = await aDomain(t, 'astray.example.com')
  const { router, app, domain } = it
  const look = looking()
  await look(domain)
  await router.look()
  // Nobody answers there any more, as if the name led to another machine.
  const map = join(router.directory, 'challenges.map')
  await ask(join(router.directory, 'admin.sock'), [`clear map ${map}`])
  const failing = async () => (await stateOf(app)).acmStatus === 'failing'
  const deadline = performance.now() + 40 * SECOND
  while (!(await failing())) {
    await look(domain)
    assert.ok(performance.now() < deadline, 'it never failed')
    await pause(100)
  }
  const { acmStatusReason, sniEndpoint } = await stateOf(app)
  assert.match(String(acmStatusReason), /astray\.example\.com.*503/)
  assert.equal(sniEndpoint, null)
  const rests = await look(domain)
  assert.ok(rests > 50 * SECOND && rests <= 60 * SECOND, `it rests ${rests} ms`)
  await lookUntil(
    async () => (await stateOf(app)).acmStatus === 'cert issued',
    it,
    looking(rests),
  )
})

test('an authority that does not answer is told as that', async (t) => {
  const it = await aDomain(t, 'alone.example.com')
  const authority: AnAuthority = it.authority
  await setAcmeDirectory(pool, {
    url: 'https://127.0.0.1:1/dir',
    email: null,
    trusted: authority.trusted,
  })
  await looking()(it.domain)
  const { acmStatus, acmStatusReason } = await stateOf(it.app)
  assert.equal(acmStatus, 'failing')
  assert.match(String(acmStatusReason), /does not answer: .*ECONNREFUSED/)
})

const MALFORMED = 'urn:ietf:params:acme:error:malformed'

test('what an authority says may be anything', async (t) => {
  const it = await aDomain(t, 'odd.example.com')
  const detail = `Not\0this\ud800 one: ${'x'.repeat(100_000)}`
  const odd = createServer(({ url: path, method, headers }, response) => {
    const at = (name: string) => `http://${headers.host}/${name}`
    const names = ['newNonce', 'newAccount', 'newOrder']
    response.setHeader('replay-nonce', 'abc')
    response.setHeader('content-type', 'application/problem+json')
    if (path === '/dir') {
      response.end(
        JSON.stringify(Object.fromEntries(names.map((name) => [name, at(name)]))),
      )
    } else if (method === 'HEAD') response.end()
    else response.writeHead(400).end(JSON.stringify({ type: MALFORMED, detail }))
  }).listen(0, '127.0.0.1')
  t.after(() => odd.close())
  await once(odd, 'listening')
  const { port } = odd.address() as AddressInfo
  const { trusted } = it.authority
  const url = `http://127.0.0.1:${port}/dir`
  await setAcmeDirectory(pool, { url, email: null, trusted })
  await looking()(it.domain)
  const { acmStatus, acmStatusReason } = await stateOf(it.app)
  assert.equal(acmStatus, 'failing')
  assert.match(String(acmStatusReason), /^Notthis\ufffd one: x+$/)
  assert.ok(String(acmStatusReason).length <= 1000)
})
