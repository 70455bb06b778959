/** Which slugs there are and what for, and the end of those that nobody needs. */

import type { AppId, SlugId } from '../model/ids.ts'
import type { SlugFacts } from '../model/slug-retention.ts'
import type { Queryable } from './queryable.ts'

/** A region's apps with more slugs than that. */
export async function appsWithMoreSlugs(
  db: Queryable,
  region: string,
  than: number,
): Promise<AppId[]> {
  const { rows } = await db.query(
    `select apps.id from apps join slugs on slugs.app = apps.id
      where apps.region = $1 and apps.deleted_at is null and slugs.deleted_at is null
      group by apps.id having count(*) > $2`,
    [region, than],
  )
  return (rows as { id: AppId }[]).map((row) => row.id)
}

/** The caller holds the app's lock, or a release of one of them could come meanwhile. */
export async function slugFacts(tx: Queryable, app: AppId): Promise<SlugFacts> {
  const { rows } = await tx.query(
    `select array(select id::text from slugs where app = $1 and deleted_at is null) as slugs,
            array(select json_build_object('slug', r.slug, 'status', r.status,
                                           'current', coalesce(r.id = a.current_release, false))
                    from releases r join apps a on a.id = r.app
                   where r.app = $1 and r.slug is not null
                   order by r.version desc) as releases,
            array(select distinct r.slug::text
                    from dynos d join releases r on r.id = d.release
                   where d.app = $1 and d.state <> 'down' and r.slug is not null) as running`,
    [app],
  )
  return rows[0] as SlugFacts
}

/**
 * Their files may go once this is committed. Releases that ran them expire. Rows stay, and commands of
 * 64 KB in each would fill the database's disk.
 */
export async function markSlugsDestroyed(
  tx: Queryable,
  slugs: readonly SlugId[],
): Promise<void> {
  await tx.query(
    `update slugs set deleted_at = now(), updated_at = now(), process_types = '{}',
                      healthchecks = '{}'
      where id = any($1::uuid[])`,
    [slugs],
  )
  await tx.query(
    `update releases set status = 'expired', updated_at = now()
      where slug = any($1::uuid[]) and status = 'succeeded'`,
    [slugs],
  )
}

/** Which of these are destroyed slugs. */
export async function destroyedSlugs(
  db: Queryable,
  ids: readonly string[],
): Promise<SlugId[]> {
  const { rows } = await db.query(
    'select id from slugs where id = any($1::uuid[]) and deleted_at is not null',
    [ids],
  )
  return (rows as { id: SlugId }[]).map((row) => row.id)
}
