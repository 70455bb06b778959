import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import { type ACertificate, aCertificate } from '../../../test/a-certificate.ts'
import { anApi } from '../../../test/an-api.ts'
import { aDatabase } from '../../../test/postgres.ts'

const pool = aDatabase()

let its: ACertificate
let other: ACertificate

before(async () => {
  its = await aCertificate(['www.example.com', '*.example.org'])
  other = await aCertificate(['other.example.com'])
})

const bodyOf = ({ certificate, privateKey }: ACertificate) => ({
  certificate_chain: certificate,
  private_key: privateKey,
})

test('a certificate is added, serves a domain, is changed, and goes', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'sealed' })
  await call('POST /apps/sealed/domains', { hostname: 'www.example.com' })

  const added = await call('POST /apps/sealed/sni-endpoints', bodyOf(its))
  assert.equal(added.status, 201)
  const {
    name,
    domains,
    ssl_cert: said,
  } = added.body as unknown as {
    name: string
    domains: string[]
    ssl_cert: Record<string, unknown>
  }
  assert.match(name, /^[a-z]+-\d{4}$/)
  assert.deepEqual(domains, [])
  assert.deepEqual(said['cert_domains'], ['www.example.com', '*.example.org'])
  assert.equal(said['self_signed?'], true)
  assert.equal(said['acm'], false)
  const { rows } = await pool.query<{ private_key: Buffer }>(
    'select private_key from sni_endpoints',
  )
  assert.ok(!rows[0]?.private_key.includes('PRIVATE'), 'the key is not sealed')

  const patch = (endpoint: string | null, domain = 'www.example.com') =>
    call(`PATCH /apps/sealed/domains/${domain}`, { sni_endpoint: endpoint })
  const served = await patch(name)
  assert.equal(served.status, 200)
  assert.equal((served.body['sni_endpoint'] as unknown as { name: string }).name, name)
  const at = `/apps/sealed/sni-endpoints/${name}`
  assert.equal(
    ((await call(`GET ${at}`)).body['domains'] as unknown as string[]).length,
    1,
  )

  const wrong = await call(`PATCH ${at}`, bodyOf(other))
  assert.equal(wrong.status, 422)
  assert.match(String(wrong.body['message']), /is not for www\.example\.com/)
  const renewed = await aCertificate(['www.example.com'])
  assert.equal((await call(`PATCH ${at}`, bodyOf(renewed))).status, 200)

  assert.equal((await call(`DELETE ${at}`)).status, 200)
  const left = await call('GET /apps/sealed/domains/www.example.com')
  assert.equal(left.body['sni_endpoint'], null)
  assert.equal((await call(`GET ${at}`)).status, 404)
})

test('a domain may be added with its certificate', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'at-once' })
  const { body } = await call('POST /apps/at-once/sni-endpoints', bodyOf(its))
  const add = (hostname: string, endpoint: unknown) =>
    call('POST /apps/at-once/domains', { hostname, sni_endpoint: endpoint })
  const added = await add('*.example.org', body['name'])
  assert.equal(added.status, 201)
  assert.deepEqual(added.body['sni_endpoint'], { id: body['id'], name: body['name'] })
  const refused = await add('not-it.example.com', body['name'])
  assert.equal(refused.status, 422)
  assert.equal((await add('not-it.example.com', 'nowhere-1000')).status, 404)
  // What was refused is not half there.
  assert.equal((await add('not-it.example.com', null)).status, 201)
})

test('what is no certificate is refused with a reason', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'refusing' })
  const add = (chain: unknown, key: unknown) =>
    call('POST /apps/refusing/sni-endpoints', {
      certificate_chain: chain,
      private_key: key,
    })
  for (const [chain, key] of [
    ['', ''],
    [its.certificate, other.privateKey],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', its.privateKey],
    [null, its.privateKey],
  ]) {
    const { status, body } = await add(chain, key)
    assert.equal(status, 422, JSON.stringify(body))
    assert.ok(!JSON.stringify(body).includes('PRIVATE KEY'))
  }
})

test('a certificate is nobody else`s', async () => {
  const { call } = await anApi(pool)
  for (const name of ['mine-it-is', 'not-mine']) await call('POST /apps', { name })
  const { body } = await call('POST /apps/mine-it-is/sni-endpoints', bodyOf(its))
  assert.equal(
    (await call(`GET /apps/not-mine/sni-endpoints/${String(body['id'])}`)).status,
    404,
  )
  await call('POST /apps/not-mine/domains', { hostname: 'b.example.org' })
  const stolen = await call('PATCH /apps/not-mine/domains/b.example.org', {
    sni_endpoint: body['id'],
  })
  assert.equal(stolen.status, 404)
  await call('DELETE /apps/mine-it-is')
  const { rows } = await pool.query('select true from sni_endpoints where id = $1', [
    body['id'],
  ])
  assert.equal(rows.length, 0, 'a destroyed app keeps no key')
})
