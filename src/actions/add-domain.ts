import type { Account, App } from '../model/app.ts'
import { hostnameIn, isBelow } from '../model/hostname.ts'
import { newId } from '../model/ids.ts'
import { HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { setAcmStatus } from '../store/acme.ts'
import {
  addDomain as add,
  appOfDomain,
  type CustomDomain,
  domainsOf,
} from '../store/domains.ts'
import type { Queryable } from '../store/queryable.ts'
import { allRegions } from '../store/regions.ts'
import { wake } from '../store/work.ts'
import { lockLatestApp } from './lock-latest-app.ts'
import { noteDomainChange } from './note-domain-change.ts'

/** Requests for the hostname reach the app at once. A Problem `invalid_params` says what is wrong with it. */
export async function addDomain(
  tx: Queryable,
  app: App,
  wish: { readonly hostname: string; readonly account: Account },
  limits: Limits = HEROKU_LIMITS,
): Promise<CustomDomain> {
  const hostname = hostnameIn(wish.hostname)
  if (hostname === undefined) {
    throw new Problem('invalid_params', `${wish.hostname} is not a valid domain name.`)
  }
  const regions = await allRegions(tx)
  if (regions.some((it) => isBelow(hostname, it.domain))) {
    throw new Problem(
      'invalid_params',
      `${hostname} is among the default domains of apps.`,
    )
  }
  const { acm } = await lockLatestApp(tx, app)
  const present = await domainsOf(tx, app.id)
  if (present.length >= limits.domains) {
    const message = `An app may have at most ${limits.domains} domains.`
    throw new Problem('invalid_params', message, { limit: limits.domains })
  }
  const domain = await add(tx, { id: newId(), app: app.id, hostname })
  if (!domain) {
    const whose = await appOfDomain(tx, hostname)
    const by =
      whose === app.id ? 'already added to this app' : 'currently in use by another app'
    throw new Problem('invalid_params', `${hostname} is ${by}.`)
  }
  if (acm) {
    await setAcmStatus(tx, [domain.id], 'pending')
    await wake(tx, { kind: 'certificate', subject: domain.id, region: app.region })
  }
  await noteDomainChange(tx, app, `Add ${hostname} domain by user ${wish.account.email}`)
  return domain
}
