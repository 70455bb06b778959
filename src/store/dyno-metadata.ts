import type { MetadataFacts } from '../model/dyno-metadata.ts'
import type { ReleaseId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** What dynos of a release may be told of it, and of its app. */
export async function metadataFacts(
  db: Queryable,
  release: ReleaseId,
): Promise<MetadataFacts> {
  const { rows } = await db.query(
    `select apps.id, apps.name, regions.domain, releases.id as release, releases.version, releases.description,
            releases.created_at as "createdAt", slugs.commit
       from releases
       join apps on apps.id = releases.app
       join regions on regions.name = apps.region
       left join slugs on slugs.id = releases.slug
      where releases.id = $1`,
    [release],
  )
  type Row = MetadataFacts['app'] &
    Omit<MetadataFacts['release'], 'id'> & { release: ReleaseId; commit: string | null }
  const [row] = rows as Row[]
  if (!row) throw new Error(`there is no release ${release}`)
  const { id, name, domain, version, description, createdAt, commit } = row
  return {
    app: { id, name, domain },
    release: { id: row.release, version, description, createdAt },
    commit,
  }
}
