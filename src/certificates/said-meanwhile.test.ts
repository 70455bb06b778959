/** What users say while an authority is asked stands. */

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { anAuthority } from '../../test/an-authority.ts'
import { aRouter, SECRETS } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { addSniEndpoint } from '../actions/add-sni-endpoint.ts'
import { destroyApp } from '../actions/destroy-app.ts'
import { removeDomain } from '../actions/remove-domain.ts'
import { serveDomainWith } from '../actions/serve-domain-with.ts'
import { setAcm } from '../actions/set-acm.ts'
import { pause, SECOND, systemClock } from '../lib/clock.ts'
import type { App } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { certificateFacts, setAcmeDirectory } from '../store/acme.ts'
import { findApp } from '../store/apps.ts'
import { domainsOf } from '../store/domains.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { sniEndpointsOf } from '../store/sni-endpoints.ts'
import { lookAfterCertificate } from './look-after-certificate.ts'

const pool = aDatabase()
const account = { id: newId<'account'>(), email: 'dev@example.com', name: null }

type Step = 'order' | 'fetch'

/**
 * A domain whose certificate is looked after until the authority has answered in that step, and
 * then once more; `say` is done while that answer is on its way.
 */
async function whileAsked(
  t: TestContext,
  hostname: string,
  {
    step,
    say,
  }: { readonly step: Step; readonly say: (tx: Queryable, app: App) => Promise<unknown> },
) {
  const router = await aRouter(t, pool, { byTls: true })
  const authority = await anAuthority(router.port)
  t.after(() => authority.end())
  const { directory: url, trusted } = authority
  await setAcmeDirectory(pool, { url, email: null, trusted })
  const id = await router.app(hostname.replaceAll('.', '-'), { web: 0 })
  await router.domain(id, hostname)
  const [before, [domain]] = [await findApp(pool, id), await domainsOf(pool, id)]
  assert.ok(before && domain)
  await inTransaction(pool, (tx) => setAcm(tx, before, { on: true, account }))
  const app = await findApp(pool, id)
  assert.ok(app)
  await router.look()
  await router.start()

  const said: Step[] = []
  /** Each look's transaction comes when the authority has answered. */
  const meanwhile = new Proxy(pool, {
    get(target, name) {
      if (name !== 'connect') return Reflect.get(target, name).bind(target)
      return async () => {
        const order = (await certificateFacts(pool, domain.id))?.order
        if (
          said.length === 0 &&
          (step === 'order' || order?.told || order?.token === null)
        ) {
          said.push(step)
          await inTransaction(pool, (tx) => say(tx, app))
        }
        return target.connect()
      }
    },
  })
  const look = lookAfterCertificate({
    pool: meanwhile,
    secrets: SECRETS,
    clock: systemClock,
  })
  const signal = AbortSignal.timeout(40 * SECOND)
  while (said.length === 0) {
    signal.throwIfAborted()
    const delay = await look(domain.id, signal)
    await router.look()
    if (delay > 0) await pause(200, signal)
  }
  await look(domain.id, signal)
  const { rows } = await pool.query<{ message: string }>(
    `select message from log_lines where app = $1 and message like 'Certificate for%'`,
    [id],
  )
  return {
    told: rows.map(({ message }) => message),
    endpoints: await sniEndpointsOf(pool, id),
    domain: (await domainsOf(pool, id))[0],
    facts: await certificateFacts(pool, domain.id),
  }
}

test('a certificate that the user gave is not put away by one that arrives', async (t) => {
  const hostname = 'mine.example.com'
  const { certificate: chain, privateKey } = await aCertificate([hostname])
  const after = await whileAsked(t, hostname, {
    step: 'fetch',
    async say(tx, app) {
      const wish = { app, chain, privateKey, account, now: new Date() }
      const mine = await addSniEndpoint(tx, wish, { secrets: SECRETS })
      const [domain] = await domainsOf(tx, app.id)
      assert.ok(domain)
      await serveDomainWith(tx, app, domain, { endpoint: mine.name, account })
    },
  })
  const [mine, ...others] = after.endpoints
  assert.deepEqual(others, [])
  assert.equal(mine?.acm, false)
  assert.equal(after.domain?.sniEndpoint?.id, mine?.id)
  assert.equal(after.domain?.acmStatus, null)
  assert.equal(after.facts?.order, null, 'the order is of no use any more')
  assert.deepEqual(after.told, [])
})

test('who switches automatic certificates off is given none', async (t) => {
  const after = await whileAsked(t, 'off.example.com', {
    step: 'fetch',
    say: (tx, app) => setAcm(tx, app, { on: false, account }),
  })
  assert.deepEqual(after.endpoints, [])
  assert.equal(after.domain?.acmStatus, null)
  assert.deepEqual(after.told, [])
})

test('a domain that is removed leaves nothing', async (t) => {
  for (const step of ['order', 'fetch'] as const) {
    const after = await whileAsked(t, `${step}.example.com`, {
      step,
      async say(tx, app) {
        const [domain] = await domainsOf(tx, app.id)
        assert.ok(domain)
        await removeDomain(tx, app, { domain, account })
      },
    })
    assert.deepEqual(after.endpoints, [])
    assert.equal(after.facts, undefined)
    assert.deepEqual(after.told, [], step)
  }
})

test('an app that is destroyed gets no certificate', async (t) => {
  const after = await whileAsked(t, 'destroyed.example.com', {
    step: 'fetch',
    say: (tx, app) => destroyApp(tx, app, { ...account, id: app.owner.id }),
  })
  assert.deepEqual(after.endpoints, [])
  assert.deepEqual(after.told, [])
})
