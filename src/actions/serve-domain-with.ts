import type { Account, App } from '../model/app.ts'
import { covers } from '../model/certificate.ts'
import { Problem } from '../model/problem.ts'
import type { CustomDomain } from '../store/domains.ts'
import type { Queryable } from '../store/queryable.ts'
import { setAcmStatus } from '../store/acme.ts'
import {
  removeUnusedAcmEndpoints,
  serveDomainWith as serve,
} from '../store/sni-endpoints.ts'
import { wake } from '../store/work.ts'
import { requireSniEndpoint } from './add-sni-endpoint.ts'
import { lockLatestApp } from './lock-latest-app.ts'
import { noteDomainChange } from './note-domain-change.ts'

export interface EndpointWish {
  /** By id or name; null: none. */
  readonly endpoint: string | null
  readonly account: Account
}

/** Clients of the domain are shown the endpoint's certificate from now on, or none of its own. */
export async function serveDomainWith(
  tx: Queryable,
  app: App,
  domain: Pick<CustomDomain, 'id' | 'hostname'>,
  { endpoint: identity, account }: EndpointWish,
): Promise<void> {
  const { acm } = await lockLatestApp(tx, app)
  const endpoint = identity === null ? null : await requireSniEndpoint(tx, app, identity)
  if (endpoint && !covers(endpoint.chain, domain.hostname)) {
    const message = `The certificate of ${endpoint.name} is not for ${domain.hostname}.`
    throw new Problem('invalid_params', message)
  }
  await serve(tx, domain.id, endpoint?.id ?? null)
  await removeUnusedAcmEndpoints(tx, app.id)
  if (acm) {
    await setAcmStatus(tx, [domain.id], endpoint ? null : 'pending')
    await wake(tx, { kind: 'certificate', subject: domain.id, region: app.region })
  }
  const what = endpoint ? `certificate ${endpoint.name}` : 'no certificate of its own'
  await noteDomainChange(
    tx,
    app,
    `Serve ${domain.hostname} with ${what} by user ${account.email}`,
  )
}
