import type { Account, App } from '../model/app.ts'
import { type CustomDomain, removeDomain as remove } from '../store/domains.ts'
import type { Queryable } from '../store/queryable.ts'
import { removeUnusedAcmEndpoints } from '../store/sni-endpoints.ts'
import { lockPresentApp } from './lock-present-app.ts'
import { noteDomainChange } from './note-domain-change.ts'

/** Requests for the hostname find no app any more, at once. */
export async function removeDomain(
  tx: Queryable,
  app: App,
  { domain, account }: { readonly domain: CustomDomain; readonly account: Account },
): Promise<void> {
  await lockPresentApp(tx, app.id)
  await remove(tx, domain.id)
  await removeUnusedAcmEndpoints(tx, app.id)
  await noteDomainChange(
    tx,
    app,
    `Remove ${domain.hostname} domain by user ${account.email}`,
  )
}
