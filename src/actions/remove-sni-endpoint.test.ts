import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import { type ACertificate, aCertificate } from '../../test/a-certificate.ts'
import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { setAcmeDirectory } from '../store/acme.ts'
import { findApp } from '../store/apps.ts'
import { domainsOf } from '../store/domains.ts'
import { inTransaction } from '../store/queryable.ts'
import { addDomain } from './add-domain.ts'
import { addSniEndpoint } from './add-sni-endpoint.ts'
import { removeSniEndpoint } from './remove-sni-endpoint.ts'
import { serveDomainWith } from './serve-domain-with.ts'
import { setAcm } from './set-acm.ts'

const pool = aDatabase()

let its: ACertificate
before(async () => {
  its = await aCertificate(['*.example.com', '*.example.org'])
})

/** An app with two domains that a certificate of its own served until now, and one that had none. */
async function afterRemoval({ acm, under }: { acm: boolean; under: string }) {
  const url = 'http://127.0.0.1:1/dir'
  await setAcmeDirectory(pool, { url, email: null, trusted: null })
  const { app: made, account } = await anApp(pool)
  await inTransaction(pool, (tx) => setAcm(tx, made, { on: acm, account }))
  const app = await findApp(pool, made.id)
  assert.ok(app)
  await inTransaction(pool, async (tx) => {
    const texts = { chain: its.certificate, privateKey: its.privateKey }
    const wish = { app, ...texts, account, now: new Date() }
    const { name: endpoint } = await addSniEndpoint(tx, wish, { secrets })
    for (const label of ['a', 'b', 'other']) {
      const domain = await addDomain(tx, app, { hostname: `${label}.${under}`, account })
      if (label === 'other') continue
      await serveDomainWith(tx, app, domain, { endpoint, account })
    }
    await tx.query(`delete from work where kind = 'certificate'`)
    await removeSniEndpoint(tx, app, { endpoint, account })
  })
  const domains = await domainsOf(pool, app.id)
  const { rows } = await pool.query<{ subject: string }>(
    `select subject from work where kind = 'certificate'`,
  )
  const woken = new Set(rows.map((it) => it.subject))
  return domains.map((it) => [
    it.hostname.split('.')[0],
    it.sniEndpoint,
    it.acmStatus,
    woken.has(it.id),
  ])
}

test('domains of a certificate that goes get an automatic one', async () => {
  assert.deepEqual(await afterRemoval({ acm: true, under: 'example.com' }), [
    ['a', null, 'pending', true],
    ['b', null, 'pending', true],
    ['other', null, 'pending', false],
  ])
})

test('where the app has no automatic certificates, they have none', async () => {
  assert.deepEqual(await afterRemoval({ acm: false, under: 'example.org' }), [
    ['a', null, null, false],
    ['b', null, null, false],
    ['other', null, null, false],
  ])
})
