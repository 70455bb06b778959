import type { Autoscaled } from '../model/autoscaling.ts'
import type { AppId, RegionId } from '../model/ids.ts'
import type { Monitor } from '../model/monitor.ts'
import type { Queryable } from './queryable.ts'
import { wake } from './work.ts'

/** The app's, if it ever had one. */
export async function findMonitor(
  db: Queryable,
  app: AppId,
): Promise<Monitor | undefined> {
  const { rows } = await db.query(
    `select id, app, is_active as "isActive",
            json_build_object('min', min_quantity, 'max', max_quantity, 'p95', value) as wanted,
            notification_channels as "notificationChannels",
            notification_period as "notificationPeriod",
            created_at as "createdAt", updated_at as "updatedAt"
       from monitors where app = $1`,
    [app],
  )
  return (rows as Monitor[])[0]
}

/** Adds the app's monitor, or changes the one it has. */
export async function putMonitor(
  tx: Queryable,
  it: Omit<Monitor, 'createdAt' | 'updatedAt'>,
): Promise<void> {
  await tx.query(
    `insert into monitors (id, app, is_active, value, min_quantity, max_quantity,
                           notification_channels, notification_period)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (app) do update
        set is_active = excluded.is_active, value = excluded.value,
            min_quantity = excluded.min_quantity, max_quantity = excluded.max_quantity,
            notification_channels = excluded.notification_channels,
            notification_period = excluded.notification_period, updated_at = now()`,
    [
      it.id,
      it.app,
      it.isActive,
      it.wanted.p95,
      it.wanted.min,
      it.wanted.max,
      it.notificationChannels,
      it.notificationPeriod,
    ],
  )
}

/** Has the region's manager look at once. */
export async function wakeAutoscaling(
  tx: Queryable,
  { region, regionId }: { readonly region: string; readonly regionId: RegionId },
): Promise<void> {
  await wake(tx, { kind: 'autoscaling', subject: regionId, region })
}

/** What autoscaling decides by, but for what was counted. */
export interface AutoscaledApp extends Omit<Autoscaled, 'counted' | 'past'> {
  readonly app: AppId
}

/** The apps of a region that are to be scaled by themselves, and have something to scale. */
export async function autoscaledApps(
  db: Queryable,
  region: string,
): Promise<AutoscaledApp[]> {
  const { rows } = await db.query(
    `select a.id as app,
            json_build_object('min', m.min_quantity, 'max', m.max_quantity, 'p95', m.value)
              as wanted,
            f.quantity, f.updated_at as "changedAt",
            count(d.id) filter (where d.state = 'up' and not d.leaving)::integer as up,
            coalesce(bool_or(d.waiting_for is not null), false) as waits,
            a.idle_since is not null as asleep, a.maintenance
       from monitors m
       join apps a on a.id = m.app and a.deleted_at is null
       join releases r on r.id = a.current_release and r.slug is not null
       join formations f on f.app = a.id and f.type = 'web' and f.command is not null
       left join dynos d on d.formation = f.id and d.state <> 'down'
      where m.is_active and a.region = $1
      group by a.id, m.id, f.id
      order by a.id`,
    [region],
  )
  return rows as AutoscaledApp[]
}
