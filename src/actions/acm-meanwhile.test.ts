/** What was let through before automatic certificates were switched on, and is written after it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { anApp, secrets } from '../../test/an-app.ts'
import { oneAfterTheOther } from '../../test/one-after-the-other.ts'
import { aDatabase } from '../../test/postgres.ts'
import { setAcmeDirectory } from '../store/acme.ts'
import { domainsOf } from '../store/domains.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { addDomain } from './add-domain.ts'
import { addSniEndpoint } from './add-sni-endpoint.ts'
import { removeSniEndpoint } from './remove-sni-endpoint.ts'
import { serveDomainWith } from './serve-domain-with.ts'
import { refreshAcm, setAcm } from './set-acm.ts'

const pool = aDatabase()

/** An app without automatic certificates, as it was read before they are switched on. */
async function anAppBefore() {
  const { app, account } = await anApp(pool)
  const url = 'https://authority.example/directory'
  await setAcmeDirectory(pool, { url, email: null, trusted: null })
  const switchOn = (tx: Queryable) => setAcm(tx, app, { on: true, account })
  return { app, account, switchOn }
}

/** Whoever looks after the domains has seen that they have certificates of their own, and has nothing to do. */
async function beSeen(tx: Queryable): Promise<void> {
  await tx.query('update domains set acm_status = null')
  await tx.query(`delete from work where kind = 'certificate'`)
}

/** A domain that is to get a certificate, and has somebody who will. */
async function isToGetOne(hostname: string): Promise<boolean> {
  const { rows } = await pool.query(
    `select true from domains d join work w on w.kind = 'certificate' and w.subject = d.id
      where d.hostname = $1 and d.acm_status = 'pending'`,
    [hostname],
  )
  return rows.length === 1
}

test('a domain that is added meanwhile gets its certificate', async () => {
  const { app, account, switchOn } = await anAppBefore()
  const hostname = 'added.example.com'
  const end = await oneAfterTheOther(pool, switchOn, (tx) =>
    addDomain(tx, app, { hostname, account }),
  )
  assert.equal(end.status, 'fulfilled')
  assert.ok(await isToGetOne(hostname))
})

test('so does one that is taken from its own certificate, or whose certificate is removed', async () => {
  const hostnames = ['released.example.com', 'removed.example.com']
  const { certificate, privateKey } = await aCertificate(hostnames)
  const { app, account, switchOn } = await anAppBefore()
  const given = { chain: certificate, privateKey, account, now: new Date() }
  const endpoint = await inTransaction(pool, async (tx) => {
    const { id } = await addSniEndpoint(tx, { ...given, app }, { secrets })
    for (const hostname of hostnames) {
      const domain = await addDomain(tx, app, { hostname, account })
      await serveDomainWith(tx, app, domain, { endpoint: id, account })
    }
    return id
  })
  const domains = await domainsOf(pool, app.id)
  const released = domains.find((it) => it.hostname === 'released.example.com')
  assert.ok(released)
  const switchOnAndBeSeen = async (tx: Queryable) => {
    await switchOn(tx)
    await beSeen(tx)
  }
  const one = await oneAfterTheOther(pool, switchOnAndBeSeen, (tx) =>
    serveDomainWith(tx, app, released, { endpoint: null, account }),
  )
  assert.equal(one.status, 'fulfilled')
  assert.ok(await isToGetOne('released.example.com'))
  const other = await oneAfterTheOther(pool, switchOnAndBeSeen, (tx) =>
    removeSniEndpoint(tx, app, { endpoint, account }),
  )
  assert.equal(other.status, 'fulfilled')
  assert.ok(await isToGetOne('removed.example.com'))
})

test('certificates that were just switched on can be tried again', async () => {
  const { app, switchOn } = await anAppBefore()
  const end = await oneAfterTheOther(pool, switchOn, (tx) => refreshAcm(tx, app))
  assert.equal(end.status, 'fulfilled')
})
