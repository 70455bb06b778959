import { newId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'
import type { Region } from './regions.ts'

export type NewRegion = Pick<
  Region,
  | 'name'
  | 'description'
  | 'country'
  | 'locale'
  | 'domain'
  | 'httpPort'
  | 'httpsPort'
  | 'subnet'
>

/** Keeps the region that already has the name, at the address given now. */
export async function ensureRegion(tx: Queryable, it: NewRegion): Promise<void> {
  await tx.query(
    `insert into regions (id, name, description, country, locale, domain, http_port, https_port, subnet)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (name) do update
        set domain = excluded.domain, http_port = excluded.http_port,
            https_port = excluded.https_port, subnet = excluded.subnet`,
    [
      newId(),
      it.name,
      it.description,
      it.country,
      it.locale,
      it.domain,
      it.httpPort,
      it.httpsPort,
      it.subnet,
    ],
  )
}
