import type { SecretBox } from '../lib/secret-box.ts'
import type { Certificate } from '../model/certificate.ts'
import type { AppId, DomainId, SniEndpointId } from '../model/ids.ts'
import { randomEndpointName } from '../model/random-app-name.ts'
import type { Queryable } from './queryable.ts'

/** A certificate of an app's, and which of its domains are served with it. */
export interface SniEndpoint {
  readonly id: SniEndpointId
  readonly name: string
  /** PEM, the certificate itself first. */
  readonly chain: string
  /** Of the chain, in hex. */
  readonly fingerprint: string
  readonly startsAt: Date
  readonly expiresAt: Date
  /** Whether it came, and is renewed, by itself. */
  readonly acm: boolean
  readonly domains: readonly DomainId[]
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What is kept of a certificate. */
export interface StoredCertificate extends Omit<Certificate, 'privateKey'> {
  /** Sealed for the endpoint's id. */
  readonly privateKey: Buffer
}

/** Sealed for the endpoint's id. */
export function sealedCertificate(
  certificate: Certificate,
  id: SniEndpointId,
  secrets: SecretBox,
): StoredCertificate {
  return { ...certificate, privateKey: secrets.seal(certificate.privateKey, id) }
}

export async function sniEndpointsOf(db: Queryable, app: AppId): Promise<SniEndpoint[]> {
  const { rows } = await db.query(
    `select id, name, certificate_chain as chain, fingerprint,
            starts_at as "startsAt", expires_at as "expiresAt", acm,
            array(select d.id from domains d where d.sni_endpoint = e.id
                   order by d.hostname) as domains,
            created_at as "createdAt", updated_at as "updatedAt"
       from sni_endpoints e where app = $1 order by created_at, name`,
    [app],
  )
  return rows as SniEndpoint[]
}

/** Under a name that the app has not given before; resolves to that. */
export async function addSniEndpoint(
  tx: Queryable,
  it: StoredCertificate & {
    readonly id: SniEndpointId
    readonly app: AppId
    readonly acm: boolean
  },
): Promise<string> {
  const name = randomEndpointName()
  const { rows } = await tx.query(
    `insert into sni_endpoints (id, app, name, certificate_chain, private_key, fingerprint,
                                starts_at, expires_at, acm)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (app, name) do nothing
     returning id`,
    [
      it.id,
      it.app,
      name,
      it.chain,
      it.privateKey,
      it.fingerprint,
      it.startsAt,
      it.expiresAt,
      it.acm,
    ],
  )
  return rows.length === 1 ? name : addSniEndpoint(tx, it)
}

export async function replaceCertificate(
  tx: Queryable,
  id: SniEndpointId,
  it: StoredCertificate,
): Promise<void> {
  await tx.query(
    `update sni_endpoints
        set certificate_chain = $2, private_key = $3, fingerprint = $4, starts_at = $5,
            expires_at = $6, updated_at = now()
      where id = $1`,
    [id, it.chain, it.privateKey, it.fingerprint, it.startsAt, it.expiresAt],
  )
}

/** Its domains are served with none any more. */
export async function removeSniEndpoint(tx: Queryable, id: SniEndpointId): Promise<void> {
  await tx.query('delete from sni_endpoints where id = $1', [id])
}

/** Those that came by themselves for domains that are gone, or are served with others. */
export async function removeUnusedAcmEndpoints(tx: Queryable, app: AppId): Promise<void> {
  await tx.query(
    `delete from sni_endpoints e
      where app = $1 and acm and not exists (select from domains where sni_endpoint = e.id)`,
    [app],
  )
}

export async function removeSniEndpointsOf(tx: Queryable, app: AppId): Promise<void> {
  await tx.query('delete from sni_endpoints where app = $1', [app])
}

/** Null: with none. */
export async function serveDomainWith(
  tx: Queryable,
  domain: DomainId,
  endpoint: SniEndpointId | null,
): Promise<void> {
  await tx.query(
    'update domains set sni_endpoint = $2, updated_at = now() where id = $1',
    [domain, endpoint],
  )
}

/** What a router serves an endpoint's domains with; undefined: it is gone. */
export async function certificateToServe(
  db: Queryable,
  id: SniEndpointId,
): Promise<Pick<StoredCertificate, 'chain' | 'privateKey'> | undefined> {
  const { rows } = await db.query(
    `select certificate_chain as chain, private_key as "privateKey"
       from sni_endpoints where id = $1`,
    [id],
  )
  return (rows as Pick<StoredCertificate, 'chain' | 'privateKey'>[])[0]
}
