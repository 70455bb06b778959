import type { SecretBox } from '../lib/secret-box.ts'
import type { App } from '../model/app.ts'
import { covers } from '../model/certificate.ts'
import { Problem } from '../model/problem.ts'
import { domainsOf } from '../store/domains.ts'
import type { Queryable } from '../store/queryable.ts'
import {
  replaceCertificate,
  sealedCertificate,
  type SniEndpoint,
} from '../store/sni-endpoints.ts'
import {
  type CertificateWish,
  requireCertificate,
  requireSniEndpoint,
} from './add-sni-endpoint.ts'
import { lockPresentApp } from './lock-present-app.ts'
import { noteDomainChange } from './note-domain-change.ts'

/**
 * The endpoint's domains are served with another certificate, without a gap. It must be for
 * all of them.
 */
export async function updateSniEndpoint(
  tx: Queryable,
  app: App,
  it: { readonly endpoint: string; readonly wish: CertificateWish },
  secrets: SecretBox,
): Promise<SniEndpoint> {
  const { endpoint: identity, wish } = it
  const certificate = requireCertificate(wish)
  await lockPresentApp(tx, app.id)
  const { id, name, acm, domains } = await requireSniEndpoint(tx, app, identity)
  if (acm) {
    const message = `${name} is renewed by itself: heroku certs:auto:disable ends that.`
    throw new Problem('invalid_params', message)
  }
  const left = (await domainsOf(tx, app.id)).filter(
    (domain) =>
      domains.includes(domain.id) && !covers(certificate.chain, domain.hostname),
  )
  if (left[0]) {
    const message = `The certificate is not for ${left[0].hostname}, which is served with ${name}.`
    throw new Problem('invalid_params', message)
  }
  await replaceCertificate(tx, id, sealedCertificate(certificate, id, secrets))
  await noteDomainChange(
    tx,
    app,
    `Update ${name} certificate by user ${wish.account.email}`,
  )
  return requireSniEndpoint(tx, app, id)
}
