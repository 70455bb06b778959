/** The running dynos of a region, as their memory is watched. */

import type { Dyno } from '../model/dyno.ts'
import type { AppId, DynoId, FormationId, ReleaseId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export type RunningDyno = Pick<
  Dyno,
  'id' | 'app' | 'formation' | 'release' | 'type' | 'ordinal' | 'size'
> & {
  readonly state: 'starting' | 'up'
  readonly startedAt: Date
  /** Its app wants to see metrics in its log. */
  readonly metrics: boolean
}

/** Those that are not told to stop. */
export async function runningDynos(
  db: Queryable,
  region: string,
): Promise<RunningDyno[]> {
  const { rows } = await db.query(
    `select d.id, d.app, d.formation, d.release, d.type, d.ordinal, d.size, d.state,
            d.started_at as "startedAt", coalesce(f.enabled, false) as metrics
       from dynos d
       left join app_features f on f.app = d.app and f.name = 'log-runtime-metrics'
      where d.region = $1 and d.state in ('starting', 'up') and d.started_at is not null
        and d.killed_at is null`,
    [region],
  )
  return rows as RunningDyno[]
}

/** What the dynos of a release have as config vars, sealed for its app. */
export async function sealedConfigVars(
  db: Queryable,
  releases: readonly ReleaseId[],
): Promise<{ id: ReleaseId; app: AppId; configVars: Buffer }[]> {
  const { rows } = await db.query(
    'select id, app, config_vars as "configVars" from releases where id = any($1)',
    [releases],
  )
  return rows as { id: ReleaseId; app: AppId; configVars: Buffer }[]
}

/** Notes it on those that nobody restarts already; returns these, and their formations. */
export async function requestMemoryRestart(
  tx: Queryable,
  ids: readonly DynoId[],
  now: Date,
): Promise<{ id: DynoId; formation: FormationId }[]> {
  const { rows } = await tx.query(
    `update dynos set restart_requested_at = $2, restart_because = 'memory'
      where id = any($1) and state = 'up' and not leaving and restart_requested_at is null
        and formation is not null
     returning id, formation`,
    [ids, now],
  )
  return rows as { id: DynoId; formation: FormationId }[]
}
