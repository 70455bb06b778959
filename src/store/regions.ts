import type { RegionId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'
import { wake } from './work.ts'

export interface Region {
  readonly id: RegionId
  readonly name: string
  readonly description: string
  readonly country: string
  readonly locale: string
  /** Apps answer as http://<app>.<domain>:<httpPort>. */
  readonly domain: string
  readonly httpPort: number
  /** Null: its router takes no TLS. */
  readonly httpsPort: number | null
  /** CIDR in which the region's dynos have their addresses. */
  readonly subnet: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export async function allRegions(db: Queryable): Promise<Region[]> {
  const { rows } = await db.query(
    `select id, name, description, country, locale, domain, http_port as "httpPort",
            https_port as "httpsPort", subnet::text, created_at as "createdAt", updated_at as "updatedAt"
       from regions order by created_at, name`,
  )
  return rows as Region[]
}

/** Has the region's router look again: which dynos are up, what state apps are in. */
export async function wakeRouter(db: Queryable, region: string): Promise<void> {
  const { rows } = await db.query('select id from regions where name = $1', [region])
  const subject = (rows as { id: string }[])[0]?.id
  if (!subject) throw new Error(`there is no region ${region}`)
  await wake(db, { kind: 'router', subject, region })
}

/** For what every router must know: which names there are, and in which region. */
export async function wakeEveryRouter(db: Queryable): Promise<void> {
  for (const { id, name } of await allRegions(db)) {
    await wake(db, { kind: 'router', subject: id, region: name })
  }
}
