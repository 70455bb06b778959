import type { SecretBox } from '../lib/secret-box.ts'
import {
  type AccountId,
  type AppId,
  type DynoId,
  isUuid,
  type ReleaseId,
  type SlugId,
} from '../model/ids.ts'
import { appRouting } from '../model/app-routing.ts'
import type { ConfigVars, Release, ReleaseStatus } from '../model/release.ts'
import { boundsOf, cutBy, type PartOfList, whole } from './part-of-list.ts'
import type { Queryable } from './queryable.ts'

export const releaseColumns = `r.id, r.app, r.version, r.status, r.description, r.slug,
  r.failure, r.automatic, r.has_release_phase as "hasReleasePhase",
  r.created_at as "createdAt", r.updated_at as "updatedAt",
  json_build_object('id', c.id, 'email', c.email) as account`

export const releaseTables = 'releases r join accounts c on c.id = r.account'

const sortedBy = { version: 'r.version', id: 'r.id' } as const

/** Oldest first, unless a part says otherwise. `key`: what the list is sorted by. */
export async function releasesOf(
  db: Queryable,
  app: AppId,
  part: PartOfList<keyof typeof sortedBy> = whole('version'),
): Promise<(Release & { readonly key: string })[]> {
  const key = sortedBy[part.by]
  const { rows } = await db.query(
    `select ${releaseColumns}, ${key}::text as key from ${releaseTables}
      where r.app = $1 ${cutBy(key, part, 2)}`,
    [app, ...boundsOf(part)],
  )
  return rows as (Release & { key: string })[]
}

/** By id, or by version as `7` or `v7`. */
export async function findRelease(
  db: Queryable,
  app: AppId,
  identity: string,
): Promise<Release | undefined> {
  const version = /^v?(\d{1,9})$/.exec(identity)?.[1]
  if (!version && !isUuid(identity)) return undefined
  const key = version ? 'r.version' : 'r.id'
  const { rows } = await db.query(
    `select ${releaseColumns} from ${releaseTables} where r.app = $1 and ${key} = $2`,
    [app, version ?? identity],
  )
  return (rows as Release[])[0]
}

export interface NewRelease {
  readonly id: ReleaseId
  readonly app: AppId
  readonly status: ReleaseStatus
  readonly description: string
  readonly account: AccountId
  readonly slug: SlugId | null
  readonly configVars: ConfigVars
  readonly hasReleasePhase: boolean
  /** Made by the platform itself, to undo a failed one. */
  readonly automatic: boolean
}

/** Numbers the release. The caller holds the app's lock, or two would get one number. */
export async function addRelease(
  tx: Queryable,
  release: NewRelease,
  secrets: SecretBox,
): Promise<Release> {
  const sealed = secrets.seal(JSON.stringify(release.configVars), release.app)
  const { rows } = await tx.query(
    `with r as (
       insert into releases (id, app, version, status, description, account, slug, config_vars,
                             has_release_phase, automatic, routing)
       select $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10
         from releases where app = $2
       returning *)
     select ${releaseColumns} from r join accounts c on c.id = r.account`,
    [
      release.id,
      release.app,
      release.status,
      release.description,
      release.account,
      release.slug,
      sealed,
      release.hasReleasePhase,
      release.automatic,
      appRouting(release.configVars),
    ],
  )
  return rows[0] as Release
}

export async function statusOfRelease(
  db: Queryable,
  id: ReleaseId,
): Promise<ReleaseStatus | undefined> {
  const { rows } = await db.query('select status from releases where id = $1', [id])
  return (rows as { status: ReleaseStatus }[])[0]?.status
}

/** Undefined: there is no such release. */
export async function makerOfRelease(
  db: Queryable,
  id: ReleaseId,
): Promise<AccountId | undefined> {
  const { rows } = await db.query('select account from releases where id = $1', [id])
  return (rows as { account: AccountId }[])[0]?.account
}

/**
 * The code that the app's next release has if nobody says otherwise: that of the newest one
 * which runs or may come to run. Null: none yet.
 */
export async function slugInForce(db: Queryable, app: AppId): Promise<SlugId | null> {
  const { rows } = await db.query(
    `select slug from releases where app = $1 and status in ('pending', 'succeeded')
      order by version desc limit 1`,
    [app],
  )
  return (rows as { slug: SlugId | null }[])[0]?.slug ?? null
}

export interface ExpiredRelease {
  readonly id: ReleaseId
  readonly version: number
  /** What runs its command. */
  readonly dyno: DynoId
}

/** Releases of the app that still wait for their command expire. */
export async function expirePending(
  tx: Queryable,
  app: AppId,
): Promise<readonly ExpiredRelease[]> {
  const { rows } = await tx.query(
    `with expired as (
       update releases set status = 'expired', updated_at = now()
        where app = $1 and status = 'pending' returning id, version)
     select expired.id, expired.version, one_offs.dyno
       from one_offs join expired on expired.id = one_offs.release_phase`,
    [app],
  )
  return rows as ExpiredRelease[]
}

/** Ends a pending release; undefined where it is not pending any more. */
export async function endPending(
  tx: Queryable,
  id: ReleaseId,
  { status, failure }: Pick<Release, 'status' | 'failure'>,
): Promise<Release | undefined> {
  const { rows } = await tx.query(
    `with r as (
       update releases set status = $2, failure = $3, updated_at = now()
        where id = $1 and status = 'pending' returning *)
     select ${releaseColumns} from r join accounts c on c.id = r.account`,
    [id, status, failure],
  )
  return (rows as Release[])[0]
}

export async function appOfRelease(
  db: Queryable,
  id: ReleaseId,
): Promise<AppId | undefined> {
  const { rows } = await db.query('select app from releases where id = $1', [id])
  return (rows as { app: AppId }[])[0]?.app
}

/** The config vars as of a release. */
export async function configVarsOf(
  db: Queryable,
  release: { readonly id: ReleaseId; readonly app: AppId },
  secrets: SecretBox,
): Promise<ConfigVars> {
  const { rows } = await db.query(
    'select config_vars from releases where id = $1 and app = $2',
    [release.id, release.app],
  )
  return opened(rows, release.app, secrets)
}

/** The app's config vars: those of its newest release, whatever became of it. */
export async function currentConfigVars(
  db: Queryable,
  app: AppId,
  secrets: SecretBox,
): Promise<ConfigVars> {
  const { rows } = await db.query(
    'select config_vars from releases where app = $1 order by version desc limit 1',
    [app],
  )
  return opened(rows, app, secrets)
}

function opened(rows: unknown[], app: AppId, secrets: SecretBox): ConfigVars {
  const row = (rows as { config_vars: Buffer }[])[0]
  if (!row) throw new Error(`app ${app} has no such release`)
  return JSON.parse(secrets.open(row.config_vars, app)) as ConfigVars
}
