import type { SecretBox } from '../lib/secret-box.ts'
import type { Certificate } from '../model/certificate.ts'
import { type AppId, type DomainId, isUuid, type SniEndpointId } from '../model/ids.ts'
import { randomEndpointName } from '../model/random-app-name.ts'
import { boundsOf, cutBy, exactly, type PartOfList, whole } from './part-of-list.ts'
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

const columns = `e.id, e.name, e.certificate_chain as chain, e.fingerprint,
  e.starts_at as "startsAt", e.expires_at as "expiresAt", e.acm,
  array(select d.id from domains d where d.sni_endpoint = e.id order by d.hostname) as domains,
  e.created_at as "createdAt", e.updated_at as "updatedAt"`

/** A name by its letters, whatever language the database sorts by: the next part begins there. */
const sortedBy = {
  name: 'e.name collate "C"',
  id: 'e.id',
  created_at: 'e.created_at',
} as const
/** As a part of the list is bounded by it. */
const shownBy = {
  name: 'e.name',
  id: 'e.id::text',
  created_at: exactly('e.created_at'),
} as const

/** By name, unless a part says otherwise. `key`: what the list is sorted by. */
export async function sniEndpointsOf(
  db: Queryable,
  app: AppId,
  part: PartOfList<keyof typeof sortedBy> = whole('name'),
): Promise<(SniEndpoint & { readonly key: string })[]> {
  const { rows } = await db.query(
    `select ${columns}, ${shownBy[part.by]} as key from sni_endpoints e
      where e.app = $1 ${cutBy(sortedBy[part.by], part, 2)}`,
    [app, ...boundsOf(part)],
  )
  return rows as (SniEndpoint & { key: string })[]
}

export async function countSniEndpoints(db: Queryable, app: AppId): Promise<number> {
  const { rows } = await db.query(
    'select count(*)::integer as endpoints from sni_endpoints where app = $1',
    [app],
  )
  return (rows as { endpoints: number }[])[0]?.endpoints ?? 0
}

/** An app's, by id or name. */
export async function findSniEndpoint(
  db: Queryable,
  app: AppId,
  identity: string,
): Promise<SniEndpoint | undefined> {
  const key = isUuid(identity) ? 'e.id' : 'e.name'
  const { rows } = await db.query(
    `select ${columns} from sni_endpoints e where e.app = $1 and ${key} = $2`,
    [app, identity],
  )
  return (rows as SniEndpoint[])[0]
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
