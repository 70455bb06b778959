/**
 * What a region's router must know, and what it says back. The facts are read by one
 * statement, so they are of one moment.
 */

import type { AppRouting } from '../model/app-routing.ts'
import type { AppId, DynoId, FormationId, RegionId, SniEndpointId } from '../model/ids.ts'
import type { DynoState } from '../model/dyno.ts'
import type { ServedCertificate } from '../model/served-certificate.ts'
import type { Queryable } from './queryable.ts'
import { wakeAll } from './work.ts'

export interface RouterFacts {
  readonly region: {
    readonly name: string
    readonly domain: string
    readonly httpPort: number
    /** Null: it takes no TLS. */
    readonly httpsPort: number | null
    /** The most that its apps have ever had: see `assignSlots`. */
    readonly slots: number
  }
  /** The region's own, destroyed ones left out. */
  readonly apps: readonly RoutedApp[]
  /** Web dynos that live, and those of which the router still has to say that it let go. */
  readonly dynos: readonly WebDyno[]
  /** What the region's apps serve their custom domains with. */
  readonly certificates: readonly EndpointCertificate[]
  /** What authorities that were asked for certificates may ask for. */
  readonly challenges: readonly Challenge[]
  /** Apps of other regions: their requests are told where to go. */
  readonly elsewhere: readonly AppElsewhere[]
}

export interface RoutedApp {
  readonly id: AppId
  readonly name: string
  /** Hostnames beside the default one; some may be wildcards. */
  readonly domains: readonly string[]
  readonly maintenance: boolean
  /** Whether the current release has code. */
  readonly deployed: boolean
  /** Null: as all others are. */
  readonly routing: AppRouting | null
  /** Whoever comes by plain HTTP is sent to come by TLS. */
  readonly httpsOnly: boolean
  /** Clients are to come back to the dyno they were at. */
  readonly sticky: boolean
  /** It sleeps until it is asked for. */
  readonly idle: boolean
  /** How many web dynos are wanted. */
  readonly web: number
  /** Its backend in HAProxy: the same until the app is destroyed. Null before `assignSlots`. */
  readonly slot: number | null
}

export interface WebDyno {
  readonly id: DynoId
  readonly app: AppId
  readonly ordinal: number
  readonly state: DynoState
  /** Of one that is up it is never null. */
  readonly address: string | null
  readonly port: number
  readonly routed: boolean
  /** Its app's. */
  readonly slot: number | null
}

export interface EndpointCertificate extends ServedCertificate {
  readonly endpoint: SniEndpointId
}

/** ACME's HTTP-01: RFC 8555, 8.3. */
export interface Challenge {
  readonly token: string
  readonly keyAuthorization: string
}

export interface AppElsewhere {
  readonly id: AppId
  readonly name: string
  readonly domains: readonly string[]
  /** `my-app.localhost:8081`. */
  readonly address: string
  /** `my-app.localhost:8444`; null: its region takes no TLS. */
  readonly tlsAddress: string | null
}

export async function routerFacts(
  db: Queryable,
  region: RegionId,
): Promise<RouterFacts | undefined> {
  const { rows } = await db.query(
    `with custom as (select app, array_agg(hostname) as hostnames from domains group by app)
     select json_build_object('name', r.name, 'domain', r.domain, 'httpPort', r.http_port,
                              'httpsPort', r.https_port, 'slots', r.slots) as region,
            (select coalesce(json_agg(json_build_object(
                      'id', a.id, 'name', a.name, 'maintenance', a.maintenance,
                      'domains', coalesce(o.hostnames, '{}'),
                      'deployed', l.slug is not null, 'routing', l.routing,
                      'sticky', coalesce(t.enabled, false),
                      'httpsOnly', coalesce(h.enabled, false),
                      'idle', a.idle_since is not null,
                      'web', case when f.command is null then 0 else f.quantity end,
                      'slot', s.slot) order by a.name), '[]')
               from apps a
               left join releases l on l.id = a.current_release
               left join formations f on f.app = a.id and f.type = 'web'
               left join app_features t on t.app = a.id and t.name = 'http-session-affinity'
               left join app_features h on h.app = a.id and h.name = 'https-redirect'
               left join router_slots s on s.app = a.id
               left join custom o on o.app = a.id
              where a.region = r.name and a.deleted_at is null) as apps,
            (select coalesce(json_agg(json_build_object(
                      'id', d.id, 'app', d.app, 'ordinal', d.ordinal, 'state', d.state,
                      'address', host(d.address), 'port', d.port, 'routed', d.routed,
                      'slot', s.slot) order by d.app, d.ordinal, d.created_at), '[]')
               from dynos d
               left join router_slots s on s.app = d.app
              where d.region = r.name
                and (d.state <> 'down' and d.type = 'web' and d.formation is not null
                     or d.routed)) as dynos,
            (select coalesce(json_agg(json_build_object(
                      'hostname', d.hostname, 'endpoint', e.id,
                      'fingerprint', e.fingerprint) order by d.hostname), '[]')
               from domains d
               join sni_endpoints e on e.id = d.sni_endpoint
               join apps a on a.id = d.app
              where a.region = r.name) as certificates,
            (select coalesce(json_agg(json_build_object(
                      'token', token, 'keyAuthorization', key_authorization)
                      order by token), '[]')
               from acme_orders where token is not null) as challenges,
            (select coalesce(json_agg(json_build_object(
                      'id', a.id, 'name', a.name, 'domains', coalesce(c.hostnames, '{}'),
                      'address', a.name || '.' || o.domain || ':' || o.http_port,
                      'tlsAddress', a.name || '.' || o.domain || ':' || o.https_port)
                      order by a.name), '[]')
               from apps a join regions o on o.name = a.region
               left join custom c on c.app = a.id
              where a.region <> r.name and a.deleted_at is null) as elsewhere
       from regions r where r.id = $1`,
    [region],
  )
  return (rows as RouterFacts[])[0]
}

/**
 * Gives every app of the region a slot, the lowest free ones; takes those of apps that are gone,
 * but not before every request that was on its way to one, or held for it, has ended. How many there
 * are of them the region remembers for good.
 */
export async function assignSlots(tx: Queryable, region: string): Promise<void> {
  await tx.query(
    `delete from router_slots s using apps a
      where s.region = $1 and a.id = s.app and a.deleted_at < now() - interval '2 minutes'
        and not exists (select from dynos d
                         where d.app = a.id and (d.state <> 'down' or d.routed))`,
    [region],
  )
  await tx.query(
    `with homeless as (
       select a.id, row_number() over (order by a.created_at, a.id) as nth
         from apps a
        where a.region = $1 and a.deleted_at is null
          and not exists (select from router_slots s where s.app = a.id)),
     free as (
       select slot, row_number() over (order by slot) as nth
         from generate_series(
                0,
                (select count(*)::integer from router_slots where region = $1)
                + (select count(*)::integer from homeless)) as numbers (slot)
        where slot not in (select slot from router_slots where region = $1))
     insert into router_slots (region, slot, app)
     select $1, free.slot, homeless.id from homeless join free using (nth)`,
    [region],
  )
  await tx.query(
    `update regions r set slots = s.most
       from (select max(slot) + 1 as most from router_slots where region = $1) s
      where r.name = $1 and r.slots < s.most`,
    [region],
  )
}

/**
 * Says of these dynos that requests may reach them, where they still are up; resolves to
 * those it said it of. It must be said before it comes true: who sees `routed` false may
 * end the dyno at once.
 */
export async function recordReachable(
  tx: Queryable,
  region: string,
  dynos: readonly DynoId[],
): Promise<DynoId[]> {
  const { rows } = await tx.query(
    `update dynos set routed = true
      where id = any($1::uuid[]) and state = 'up' and not routed
     returning id, formation`,
    [dynos],
  )
  const changed = rows as { id: DynoId; formation: FormationId }[]
  await wakeFormations(tx, region, changed)
  return changed.map(({ id }) => id)
}

/** Says of these dynos that no request can reach them any more. */
export async function recordLeft(
  tx: Queryable,
  region: string,
  dynos: readonly DynoId[],
): Promise<void> {
  const { rows } = await tx.query(
    `update dynos set routed = false where id = any($1::uuid[]) and routed
     returning formation`,
    [dynos],
  )
  await wakeFormations(tx, region, rows as { formation: FormationId }[])
}

async function wakeFormations(
  tx: Queryable,
  region: string,
  changed: readonly { readonly formation: FormationId }[],
): Promise<void> {
  await wakeAll(
    tx,
    changed.map(({ formation }) => ({ kind: 'formation', subject: formation, region })),
  )
}
