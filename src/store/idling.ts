/** Which apps of a region may fall asleep, and which sleep. */

import type { Switches } from '../model/app-features.ts'
import type { AppId } from '../model/ids.ts'
import type { SleepyApp } from '../model/idling.ts'
import type { Queryable } from './queryable.ts'

/** What `idling` decides by, but for policy and traffic. */
export interface SleepyAppRow extends Omit<
  SleepyApp,
  'idling' | 'idleAfter' | 'askedAt'
> {
  readonly id: AppId
  readonly switches: Switches
  /** Sealed for the app. */
  readonly configVars: Buffer
  /** Its backend in HAProxy; null: it never had any. */
  readonly slot: number | null
}

/** Those that sleep, and those that might: of Eco size, or with the feature. */
export async function sleepyApps(
  db: Queryable,
  region: string,
): Promise<readonly SleepyAppRow[]> {
  const { rows } = await db.query(
    `select a.id, a.maintenance, a.idle_since as "idleSince",
            a.web_traffic_at as "webTrafficAt", r.created_at as "releasedAt",
            r.config_vars as "configVars", s.slot,
            f.size = 'Eco' as eco,
            case when f.command is null then 0 else f.quantity end as web,
            coalesce((select json_object_agg(name, enabled)
                        from app_features where app = a.id), '{}') as switches
       from apps a
       join releases r on r.id = a.current_release and r.slug is not null
       join formations f on f.app = a.id and f.type = 'web'
       left join router_slots s on s.app = a.id
      where a.region = $1 and a.deleted_at is null
        and (a.idle_since is not null or f.size = 'Eco'
             or exists (select from app_features x
                         where x.app = a.id and x.name = 'idling' and x.enabled))
      order by a.id`,
    [region],
  )
  return rows as SleepyAppRow[]
}

/** Says false where the app sleeps already, or is gone. */
export async function markIdle(tx: Queryable, app: AppId, at: Date): Promise<boolean> {
  const { rows } = await tx.query(
    `update apps set idle_since = $2
      where id = $1 and idle_since is null and deleted_at is null returning true`,
    [app, at],
  )
  return rows.length === 1
}

/** The region of the app; undefined where it does not sleep. Being asked for counts as traffic. */
export async function markAwake(
  tx: Queryable,
  app: AppId,
  at: Date,
): Promise<string | undefined> {
  const { rows } = await tx.query(
    `update apps set idle_since = null, web_traffic_at = $2
      where id = $1 and idle_since is not null returning region`,
    [app, at],
  )
  return (rows as { region: string }[])[0]?.region
}

/** These apps had web traffic just now. One that somebody is changing is left for the next time. */
export async function noteWebTraffic(
  db: Queryable,
  apps: readonly AppId[],
  now: Date,
): Promise<void> {
  if (apps.length === 0) return
  await db.query(
    `update apps set web_traffic_at = $2
      where id in (select id from apps where id = any($1) and idle_since is null
                      for no key update skip locked)`,
    [apps, now],
  )
}
