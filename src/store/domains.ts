import type { AcmStatus } from '../model/acm.ts'
import type { AppId, DomainId, SniEndpointId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** A domain that an app was given beside its default one. */
export interface CustomDomain {
  readonly id: DomainId
  readonly hostname: string
  /** What it is served with; null: nothing. */
  readonly sniEndpoint: { readonly id: SniEndpointId; readonly name: string } | null
  /** Of its automatic certificate; null: it has none. */
  readonly acmStatus: AcmStatus | null
  readonly acmStatusReason: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

const columns = `id, hostname, created_at as "createdAt", updated_at as "updatedAt",
  acm_status as "acmStatus", acm_status_reason as "acmStatusReason",
  (select json_build_object('id', e.id, 'name', e.name)
     from sni_endpoints e where e.id = sni_endpoint) as "sniEndpoint"`

export async function domainsOf(db: Queryable, app: AppId): Promise<CustomDomain[]> {
  const { rows } = await db.query(
    `select ${columns} from domains where app = $1 order by hostname`,
    [app],
  )
  return rows as CustomDomain[]
}

/** Undefined: some app has it already. */
export async function addDomain(
  tx: Queryable,
  it: Pick<CustomDomain, 'id' | 'hostname'> & { readonly app: AppId },
): Promise<CustomDomain | undefined> {
  const { rows } = await tx.query(
    `insert into domains (id, app, hostname) values ($1, $2, $3)
     on conflict (hostname) do nothing returning ${columns}`,
    [it.id, it.app, it.hostname],
  )
  return (rows as CustomDomain[])[0]
}

/** Whose it is; undefined: nobody's. */
export async function appOfDomain(
  db: Queryable,
  hostname: string,
): Promise<AppId | undefined> {
  const { rows } = await db.query('select app from domains where hostname = $1', [
    hostname,
  ])
  return (rows as { app: AppId }[])[0]?.app
}

/** Of all apps. */
export async function allDomains(db: Queryable): Promise<string[]> {
  const { rows } = await db.query('select hostname from domains order by hostname')
  return (rows as { hostname: string }[]).map((it) => it.hostname)
}

export async function removeDomain(tx: Queryable, id: DomainId): Promise<void> {
  await tx.query('delete from domains where id = $1', [id])
}

export async function removeDomainsOf(tx: Queryable, app: AppId): Promise<void> {
  await tx.query('delete from domains where app = $1', [app])
}
