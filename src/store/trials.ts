/** How releases fare when their first dynos start. */

import type { AppId, ReleaseId } from '../model/ids.ts'
import type { Release } from '../model/release.ts'
import type { Queryable } from './queryable.ts'
import { releaseColumns, releaseTables } from './releases.ts'

/** A web dyno was ready on it: others may be taken back to it. */
export async function recordReady(
  tx: Queryable,
  release: ReleaseId,
  at: Date,
): Promise<void> {
  await tx.query('update releases set ready_at = $2 where id = $1 and ready_at is null', [
    release,
    at,
  ])
}

/**
 * A release that is the app's own and was thought to have succeeded; undefined where it isn't,
 * or the next one is on its way.
 */
export async function recordFailure(
  tx: Queryable,
  app: AppId,
  release: ReleaseId,
  failure: string,
): Promise<Release | undefined> {
  const { rows } = await tx.query(
    `with r as (
       update releases set status = 'failed', failure = $3, updated_at = now()
        where id = $2 and status = 'succeeded' and ready_at is null
          and exists (select from apps where id = $1 and current_release = $2)
          and not exists (select from releases where app = $1 and status = 'pending')
       returning *)
     select ${releaseColumns} from r join accounts c on c.id = r.account`,
    [app, release, failure],
  )
  return (rows as Release[])[0]
}

/** The newest release before this one that had a web dyno ready. */
export async function lastReady(
  db: Queryable,
  before: Pick<Release, 'app' | 'version'>,
): Promise<Release | undefined> {
  const { rows } = await db.query(
    `select ${releaseColumns} from ${releaseTables}
      where r.app = $1 and r.version < $2 and r.ready_at is not null and r.status = 'succeeded'
      order by r.version desc limit 1`,
    [before.app, before.version],
  )
  return (rows as Release[])[0]
}
