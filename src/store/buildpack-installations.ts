import type { AppId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** The app's buildpacks in their order: URLs or built-in names. */
export async function buildpacksOf(db: Queryable, app: AppId): Promise<string[]> {
  const { rows } = await db.query(
    'select url from buildpack_installations where app = $1 order by ordinal',
    [app],
  )
  return (rows as { url: string }[]).map((row) => row.url)
}

export async function replaceBuildpacks(
  tx: Queryable,
  app: AppId,
  urls: readonly string[],
): Promise<void> {
  await tx.query('delete from buildpack_installations where app = $1', [app])
  await tx.query(
    `insert into buildpack_installations (app, ordinal, url)
     select $1, ordinal - 1, url from unnest($2::text[]) with ordinality as it (url, ordinal)`,
    [app, urls],
  )
}
