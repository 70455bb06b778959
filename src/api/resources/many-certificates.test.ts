/** What the API does for certificates of which many come at once: the thread that does it answers everybody. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { before, test } from 'node:test'

import { type ACertificate, aCertificate } from '../../../test/a-certificate.ts'
import { anApi } from '../../../test/an-api.ts'
import { aDatabase, asRole } from '../../../test/postgres.ts'
import { roleOf } from '../../installation/roles.ts'
import { readCertificate } from '../../model/certificate.ts'

const pool = aDatabase()

let authority: ACertificate
/** Another's of the same name. */
let other: ACertificate
let own: ACertificate

before(async () => {
  authority = await aCertificate(['authority.example'], { authority: true })
  other = await aCertificate(['authority.example'], { authority: true })
  own = await aCertificate(['www.example.com'], { signer: authority, keyUntold: true })
})

test('of a thousand certificates no signature is verified', async (t) => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'crowded' })
  const verify = t.mock.method(X509Certificate.prototype, 'verify')
  const add = async (copies: number) => {
    const { status, body } = await call('POST /apps/crowded/sni-endpoints', {
      certificate_chain: own.certificate + other.certificate.repeat(copies),
      private_key: own.privateKey,
    })
    return [status, body['id'], body['message']]
  }
  const tooLong =
    'Certificate chain and private key may be given in 65536 characters each at most.'
  assert.deepEqual(await add(1300), [422, 'invalid_params', tooLong])
  const tooMany = 'At most 20 certificates may be given at once.'
  assert.deepEqual(await add(20), [422, 'invalid_params', tooMany])
  assert.equal(verify.mock.callCount(), 0)
})

test('of many that bear the name of the authority few are asked whether it signed', (t) => {
  const verify = t.mock.method(X509Certificate.prototype, 'verify')
  const others = Array.from({ length: 18 }, () => other)
  const given = [own, ...others, authority].map((it) => it.certificate).join('')
  const read = readCertificate(given, own.privateKey, new Date())
  assert.ok(!('fault' in read), JSON.stringify(read))
  assert.equal(verify.mock.callCount(), 3)
})

test('few certificates are read at once, and for one of them only its own', async (t) => {
  const { call } = await anApi(pool)
  const app = (await call('POST /apps', { name: 'overfull' })).body['id']
  const added = await call('POST /apps/overfull/sni-endpoints', {
    certificate_chain: own.certificate,
    private_key: own.privateKey,
  })
  assert.equal(added.status, 201)
  await pool.query(
    `insert into sni_endpoints (id, app, name, certificate_chain, private_key, fingerprint,
                                starts_at, expires_at)
     select gen_random_uuid(), app, 'copy-' || 1000 + n, repeat(certificate_chain, 10), private_key,
            fingerprint, starts_at, expires_at
       from sni_endpoints, generate_series(1, 149) n where app = $1`,
    [app],
  )
  const read = t.mock.getter(
    X509Certificate.prototype,
    'subjectAltName',
    () => 'DNS:www.example.com',
  )
  const names: string[] = []
  let range = 'name ..; max=1000'
  for (const [status, most] of [
    [206, 100],
    [200, 50],
  ]) {
    const readBefore = read.mock.callCount()
    const answer = await call('GET /apps/overfull/sni-endpoints', undefined, { range })
    const part = answer.body as unknown as { readonly name: string }[]
    assert.deepEqual([answer.status, part.length], [status, most])
    assert.equal(read.mock.callCount() - readBefore, most)
    names.push(...part.map((it) => it.name))
    range = String(answer.headers['next-range'])
  }
  assert.equal(new Set(names).size, 150)
  assert.deepEqual(names, names.toSorted())

  const asking = t.mock.method(asRole(pool, roleOf('api')), 'query')
  const { status } = await call('GET /apps/overfull/sni-endpoints/copy-1007')
  assert.equal(status, 200)
  const answers = asking.mock.calls.map(
    (it) => it.result as unknown as Promise<{ readonly rows: readonly object[] }>,
  )
  const found = (await Promise.all(answers)).flatMap((it) => it.rows)
  assert.equal(found.filter((it) => 'chain' in it).length, 1)
})

test('only the certificates of the part that is asked for are read', async (t) => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'listed' })
  for (let n = 0; n < 3; n += 1) {
    await call('POST /apps/listed/sni-endpoints', {
      certificate_chain: own.certificate,
      private_key: own.privateKey,
    })
  }
  const read = t.mock.getter(
    X509Certificate.prototype,
    'subjectAltName',
    () => 'DNS:www.example.com',
  )
  const { status, body, headers } = await call(
    'GET /apps/listed/sni-endpoints',
    undefined,
    { range: 'created_at ..; max=2, order=desc' },
  )
  assert.equal(status, 206)
  assert.equal((body as unknown as object[]).length, 2)
  assert.match(
    String(headers['next-range']),
    /^created_at \]\d{4}-.*Z\.\.; max=2, order=desc$/,
  )
  assert.equal(read.mock.callCount(), 2)
})
