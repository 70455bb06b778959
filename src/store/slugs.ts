import type { HealthChecks } from '../model/health-check.ts'
import type { AppId, SlugId } from '../model/ids.ts'
import type { ProcessTypes } from '../model/procfile.ts'
import type { Queryable } from './queryable.ts'

/** A compiled app: its files lie in the data directory, under its id. */
export interface Slug {
  readonly id: SlugId
  readonly app: AppId
  readonly stack: string
  readonly commit: string | null
  readonly commitDescription: string | null
  /** What the buildpack said on detecting the app: `Node.js`. */
  readonly buildpackProvidedDescription: string | null
  readonly processTypes: ProcessTypes
  /** `SHA256:<hex>` of its tree (`lib/tree-checksum.ts`). */
  readonly checksum: string | null
  /** Bytes. */
  readonly size: number | null
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Its files are gone: nothing can run it any more. */
  readonly deletedAt: Date | null
}

export interface NewSlug extends Omit<Slug, 'createdAt' | 'updatedAt' | 'deletedAt'> {
  /** Of its process types; left out: none has any. */
  readonly healthChecks?: HealthChecks
}

const columns = `id, app, stack, commit, commit_description as "commitDescription",
  buildpack_provided_description as "buildpackProvidedDescription",
  process_types as "processTypes", checksum, size::float8 as size,
  created_at as "createdAt", updated_at as "updatedAt", deleted_at as "deletedAt"`

export async function addSlug(db: Queryable, slug: NewSlug): Promise<void> {
  await db.query(
    `insert into slugs (id, app, stack, commit, commit_description,
                        buildpack_provided_description, process_types, healthchecks,
                        checksum, size)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      slug.id,
      slug.app,
      slug.stack,
      slug.commit,
      slug.commitDescription,
      slug.buildpackProvidedDescription,
      JSON.stringify(slug.processTypes),
      JSON.stringify(slug.healthChecks ?? {}),
      slug.checksum,
      slug.size,
    ],
  )
}

export async function findSlug(db: Queryable, id: SlugId): Promise<Slug | undefined> {
  const { rows } = await db.query(`select ${columns} from slugs where id = $1`, [id])
  return (rows as Slug[])[0]
}
