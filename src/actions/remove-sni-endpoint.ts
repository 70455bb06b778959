import type { Account, App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { setAcmStatus } from '../store/acme.ts'
import type { Queryable } from '../store/queryable.ts'
import { removeSniEndpoint as remove, type SniEndpoint } from '../store/sni-endpoints.ts'
import { wakeAll } from '../store/work.ts'
import { requireSniEndpoint } from './add-sni-endpoint.ts'
import { lockLatestApp } from './lock-latest-app.ts'
import { noteDomainChange } from './note-domain-change.ts'

/** Its domains are served without a certificate of their own from now on, or get automatic ones. */
export async function removeSniEndpoint(
  tx: Queryable,
  app: App,
  it: { readonly endpoint: string; readonly account: Account },
): Promise<SniEndpoint> {
  const { acm, region } = await lockLatestApp(tx, app)
  const endpoint = await requireSniEndpoint(tx, app, it.endpoint)
  if (endpoint.acm) {
    const message = `${endpoint.name} would come again: heroku certs:auto:disable ends that.`
    throw new Problem('invalid_params', message)
  }
  await remove(tx, endpoint.id)
  if (acm) {
    await setAcmStatus(tx, endpoint.domains, 'pending')
    await wakeAll(
      tx,
      endpoint.domains.map((subject) => ({ kind: 'certificate', subject, region })),
    )
  }
  await noteDomainChange(
    tx,
    app,
    `Remove ${endpoint.name} certificate by user ${it.account.email}`,
  )
  return endpoint
}
