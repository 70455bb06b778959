/** Notes as now what was noted by a clock that has been set back since: see model/noted-times.ts. */

import type { AppId, BuildId, DomainId, DynoId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/**
 * A crashed dyno's next attempt is as long after its crash as before. `othersNow`: by the clock of
 * those who make one-offs, and write when their clients come and go.
 */
export async function noteDynosAnew(
  db: Queryable,
  ids: readonly DynoId[],
  now: Date,
  othersNow = now,
): Promise<void> {
  await db.query(
    `update dynos
        set created_at = least(created_at, $3),
            placed_at = case when placed_at > $2 then $2 else placed_at end,
            started_at = case when started_at > $2 then $2 else started_at end,
            terminated_at = case when terminated_at > $2 then $2 else terminated_at end,
            killed_at = case when killed_at > $2 then $2 else killed_at end,
            exited_at = case when exited_at > $2 then $2 else exited_at end,
            next_attempt_at = next_attempt_at - greatest(updated_at - $2, interval '0'),
            updated_at = least(updated_at, $2)
      where id = any($1)`,
    [ids, now, othersNow],
  )
}

export async function noteOneOffAnew(
  tx: Queryable,
  id: DynoId,
  { now, othersNow }: { readonly now: Date; readonly othersNow: Date },
): Promise<void> {
  await noteDynosAnew(tx, [id], now, othersNow)
  await tx.query(
    `update one_offs
        set attached_at = case when attached_at > $3 then $3 else attached_at end,
            detached_at = case when detached_at > $3 then $3 else detached_at end,
            hung_up_at = case when hung_up_at > $2 then $2 else hung_up_at end
      where dyno = $1`,
    [id, now, othersNow],
  )
}

export async function noteBuildAnew(
  db: Queryable,
  id: BuildId,
  now: Date,
): Promise<void> {
  await db.query(
    `update builds
        set started_at = case when started_at > $2 then $2 else started_at end,
            failing_since = case when failing_since > $2 then $2 else failing_since end
      where id = $1`,
    [id, now],
  )
}

export async function noteOrderAnew(
  db: Queryable,
  domain: DomainId,
  now: Date,
): Promise<void> {
  await db.query(
    'update acme_orders set created_at = least(created_at, $2) where domain = $1',
    [domain, now],
  )
}

/** When these apps' web dynos were last scaled. */
export async function noteScalingAnew(
  db: Queryable,
  apps: readonly AppId[],
  now: Date,
): Promise<void> {
  await db.query(
    `update formations set updated_at = least(updated_at, $2)
      where app = any($1) and type = 'web'`,
    [apps, now],
  )
}

/** Of all of a region's dynos and builds. `now`, by the clock of each kind. */
export async function noteStartsAnew(
  db: Queryable,
  region: string,
  now: { readonly ofDynos: Date; readonly ofBuilds: Date },
): Promise<void> {
  await db.query(
    `update dynos set started_at = $2
      where region = $1 and state <> 'down' and started_at > $2`,
    [region, now.ofDynos],
  )
  await db.query(
    `update builds b set started_at = $2
       from apps a
      where a.id = b.app and a.region = $1 and b.status = 'pending' and b.started_at > $2`,
    [region, now.ofBuilds],
  )
}
