import type { SecretBox } from '../lib/secret-box.ts'
import type { Account, App } from '../model/app.ts'
import { type Certificate, readCertificate } from '../model/certificate.ts'
import { newId } from '../model/ids.ts'
import { HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import type { Queryable } from '../store/queryable.ts'
import {
  addSniEndpoint as add,
  countSniEndpoints,
  findSniEndpoint,
  sealedCertificate,
  type SniEndpoint,
} from '../store/sni-endpoints.ts'
import { lockPresentApp } from './lock-present-app.ts'
import { noteDomainChange } from './note-domain-change.ts'

/** PEM texts, as a user gives them. */
export interface CertificateWish {
  readonly chain: string
  readonly privateKey: string
  readonly account: Account
  readonly now: Date
}

/** No domain is served with it yet. A Problem `invalid_params` says what is wrong with it. */
export async function addSniEndpoint(
  tx: Queryable,
  wish: CertificateWish & { readonly app: App },
  {
    secrets,
    limits = HEROKU_LIMITS,
  }: { readonly secrets: SecretBox; readonly limits?: Limits },
): Promise<SniEndpoint> {
  const { app } = wish
  const certificate = requireCertificate(wish)
  await lockPresentApp(tx, app.id)
  if ((await countSniEndpoints(tx, app.id)) >= limits.domains) {
    const message = `An app may have at most ${limits.domains} certificates.`
    throw new Problem('invalid_params', message, { limit: limits.domains })
  }
  const id = newId<'sni endpoint'>()
  const its = sealedCertificate(certificate, id, secrets)
  const name = await add(tx, { ...its, id, app: app.id, acm: false })
  await noteDomainChange(tx, app, `Add ${name} certificate by user ${wish.account.email}`)
  return requireSniEndpoint(tx, app, id)
}

export function requireCertificate(wish: CertificateWish): Certificate {
  const read = readCertificate(wish.chain, wish.privateKey, wish.now)
  if ('fault' in read) throw new Problem('invalid_params', read.fault)
  return read
}

/** By id or name; a Problem `not_found` where the app has none such. */
export async function requireSniEndpoint(
  db: Queryable,
  app: App,
  identity: string,
): Promise<SniEndpoint> {
  const found = await findSniEndpoint(db, app.id, identity)
  if (!found) throw new Problem('not_found', `Couldn't find that SNI endpoint.`)
  return found
}
