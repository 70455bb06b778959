import type { SecretBox } from '../lib/secret-box.ts'
import type { Build, BuildStep } from '../model/build.ts'
import type { AccountId, AppId, BuildId, ReleaseId, SlugId } from '../model/ids.ts'
import { boundsOf, cutBy, exactly, type PartOfList, whole } from './part-of-list.ts'
import type { Queryable } from './queryable.ts'

const columns = `builds.id, app,
  json_build_object('id', accounts.id, 'email', accounts.email) as account,
  status, step, source, pushed, source_version as "sourceVersion",
  source_description as "sourceDescription", source_checksum as "sourceChecksum",
  buildpacks, slug, release, stack, failure, host(address) as address,
  cancelled_at as "cancelledAt", started_at as "startedAt",
  anew_from::float8 as "anewFrom", failing_since as "failingSince",
  builds.created_at as "createdAt", builds.updated_at as "updatedAt"`

const tables = 'builds join accounts on accounts.id = builds.account'

export interface NewBuild extends Pick<
  Build,
  | 'id'
  | 'app'
  | 'account'
  | 'source'
  | 'sourceVersion'
  | 'sourceDescription'
  | 'sourceChecksum'
  | 'buildpacks'
  | 'stack'
> {
  /** As given, sealed for the app: who has it has the code. Null: it was pushed. */
  readonly sourceUrl: Buffer | null
}

export async function addBuild(db: Queryable, build: NewBuild): Promise<void> {
  await db.query(
    `insert into builds (id, app, account, source, source_url, pushed, source_version,
                         source_description, source_checksum, buildpacks, stack)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      build.id,
      build.app,
      build.account.id,
      build.source,
      build.sourceUrl,
      build.sourceUrl === null,
      build.sourceVersion,
      build.sourceDescription,
      build.sourceChecksum,
      build.buildpacks && JSON.stringify(build.buildpacks),
      build.stack,
    ],
  )
}

export async function findBuild(db: Queryable, id: BuildId): Promise<Build | undefined> {
  const { rows } = await db.query(
    `select ${columns} from ${tables} where builds.id = $1`,
    [id],
  )
  return (rows as Build[])[0]
}

/** By build; of a push there is none. Not in `Build`, for git's role reads builds, and may not read these. */
export async function sourceUrls(
  db: Queryable,
  builds: readonly Pick<Build, 'id'>[],
  secrets: SecretBox,
): Promise<ReadonlyMap<BuildId, string>> {
  const { rows } = await db.query(
    `select id, app, source_url as url from builds
      where id = any($1::uuid[]) and source_url is not null`,
    [builds.map((it) => it.id)],
  )
  const sealed = rows as { id: BuildId; app: AppId; url: Buffer }[]
  return new Map(sealed.map((it) => [it.id, secrets.open(it.url, it.app)]))
}

const sortedBy = { created_at: 'builds.created_at', id: 'builds.id' } as const
/** As a part of the list is bounded by it. */
const shownBy = {
  created_at: exactly(sortedBy.created_at),
  id: `${sortedBy.id}::text`,
} as const

/** Oldest first, unless a part says otherwise. `key`: what the list is sorted by. */
export async function buildsOf(
  db: Queryable,
  app: AppId,
  part: PartOfList<keyof typeof sortedBy> = whole('created_at'),
): Promise<(Build & { readonly key: string })[]> {
  const { rows } = await db.query(
    `select ${columns}, ${shownBy[part.by]} as key from ${tables}
      where app = $1 ${cutBy(sortedBy[part.by], part, 2)}`,
    [app, ...boundsOf(part)],
  )
  return rows as (Build & { key: string })[]
}

/** How many builds there may be at once: of a region, and of an account while others wait. */
export interface BuildPlaces {
  readonly ofAll: number
  readonly ofEach: number
}

/**
 * How many builds of the region are to end, or to begin, before this one: 0, and it may begin. Undefined
 * while an older one of its app is under way, for an app's builds take turns.
 *
 * Who waits longest is next; but of an account, that which asked for the builds whosesoever the apps are,
 * what is more than `ofEach`, those under way among them, comes after all others. Whose look fails keeps
 * nobody else waiting. One that has begun, and has an address, is before all: by a clock that was set back it is
 * younger than those that came after it.
 */
export async function buildsBefore(
  db: Queryable,
  build: Build,
  { ofAll, ofEach }: BuildPlaces,
): Promise<number | undefined> {
  if ((await nextBuildOf(db, build.app)) !== build.id) return undefined
  const { rows } = await db.query(
    `with here as (
       select builds.id, builds.account, builds.step, builds.address, builds.created_at
         from builds join apps on apps.id = builds.app
        where builds.status = 'pending'
          and apps.region = (select region from apps where id = $2)
          and not exists (select from builds as older
                           where older.app = builds.app and older.status = 'pending'
                             and (older.address is null, older.created_at, older.id)
                               < (builds.address is null, builds.created_at, builds.id))),
     waiting as (
       select id, address, created_at,
              row_number() over (partition by account order by address is null, created_at, id)
              + (select count(*) from here as other
                  where other.account = here.account and other.step = 'compile') as of_account
         from here
        where step = 'prepare'
          and (id = $1 or not exists (select from work
                                       where kind = 'build' and subject = here.id
                                         and failures > 0))),
     turns as (
       select id, row_number() over (order by address is null, of_account > $4, created_at, id) as turn
         from waiting)
     select greatest(0, turn + (select count(*) from here where step = 'compile') - $3)::integer
            as before
       from turns where id = $1`,
    [build.id, build.app, ofAll, ofEach],
  )
  return (rows as { before: number }[])[0]?.before
}

/** Whether what was pushed to the app is still being built, or released. */
export async function hasPushUnderWay(db: Queryable, app: AppId): Promise<boolean> {
  const { rows } = await db.query(
    `select from builds
      where app = $1 and pushed
        and (status = 'pending'
             or exists (select from releases
                         where releases.id = builds.release and releases.status = 'pending'))
      limit 1`,
    [app],
  )
  return rows.length > 0
}

export interface PendingBuilds {
  readonly ofApp: number
  /** That it asked for, whosesoever the apps are. */
  readonly ofAccount: number
}

/** How many builds wait or run. */
export async function countPendingBuilds(
  db: Queryable,
  { app, account }: { readonly app: AppId; readonly account: AccountId },
): Promise<PendingBuilds> {
  const { rows } = await db.query(
    `select count(*) filter (where app = $1)::integer as "ofApp",
            count(*) filter (where account = $2)::integer as "ofAccount"
       from builds where status = 'pending' and (app = $1 or account = $2)`,
    [app, account],
  )
  return (rows as [PendingBuilds])[0]
}

/** The build of an app that has begun and is not final, else the oldest: the others wait for it. */
export async function nextBuildOf(
  db: Queryable,
  app: AppId,
): Promise<BuildId | undefined> {
  const { rows } = await db.query(
    `select id from builds where app = $1 and status = 'pending'
      order by address is null, created_at, id limit 1`,
    [app],
  )
  return (rows as { id: BuildId }[])[0]?.id
}

/** Gives a build that has none its address. */
export async function giveAddress(
  db: Queryable,
  id: BuildId,
  address: string,
): Promise<void> {
  await db.query(
    'update builds set address = $2 where id = $1 and address is null and step is not null',
    [id, address],
  )
}

/** Moves a build on, unless another has moved it meanwhile. `compile` starts its 15 minutes. */
export async function becomeStep(
  db: Queryable,
  build: Build,
  step: BuildStep,
): Promise<void> {
  await db.query(
    `update builds
        set step = $3, failing_since = null, updated_at = now(),
            started_at = case when $3 = 'compile' then now() else started_at end
      where id = $1 and step = $2`,
    [build.id, build.step, step],
  )
}

/** Moves a build that compiled back to its beginning; what it prints from now on comes behind what it did. */
export async function beginAnew(tx: Queryable, id: BuildId): Promise<void> {
  await tx.query(
    `update builds
        set step = 'prepare', failing_since = null, updated_at = now(),
            anew_from = (select coalesce(max(next), 0) from build_output where printer = $1)
      where id = $1 and step = 'compile'`,
    [id],
  )
}

/** Notes why a build under way will fail; the first reason stays. */
export async function noteFailure(
  db: Queryable,
  id: BuildId,
  failure: string,
): Promise<void> {
  await db.query(
    `update builds set failure = coalesce(failure, $2), updated_at = now()
      where id = $1 and status = 'pending'`,
    [id, failure],
  )
}

/** Notes that a look at it failed, or, with null, that one did not; of failed ones the first counts. */
export async function noteFailing(
  db: Queryable,
  id: BuildId,
  at: Date | null,
): Promise<void> {
  await db.query(
    `update builds
        set failing_since = case when $2::timestamptz is not null
                                 then coalesce(failing_since, $2) end
      where id = $1`,
    [id, at],
  )
}

/** Says false of a build that is final. */
export async function requestCancel(db: Queryable, id: BuildId): Promise<boolean> {
  const { rows } = await db.query(
    `update builds set cancelled_at = coalesce(cancelled_at, now()), updated_at = now()
      where id = $1 and status = 'pending' returning true`,
    [id],
  )
  return rows.length === 1
}

/** Until the transaction ends, nobody can cancel it. Says false if it is final or cancelled. */
export async function lockToSucceed(tx: Queryable, id: BuildId): Promise<boolean> {
  const { rows } = await tx.query(
    `select true from builds
      where id = $1 and status = 'pending' and cancelled_at is null for update`,
    [id],
  )
  return rows.length === 1
}

export async function succeed(
  tx: Queryable,
  id: BuildId,
  { slug, release }: { readonly slug: SlugId; readonly release: ReleaseId },
): Promise<void> {
  await tx.query(
    `update builds set status = 'succeeded', step = null, address = null, slug = $2,
                       release = $3, updated_at = now()
      where id = $1 and status = 'pending'`,
    [id, slug, release],
  )
}

/** Says false if it was final already. */
export async function fail(
  tx: Queryable,
  id: BuildId,
  failure: string,
): Promise<boolean> {
  const { rows } = await tx.query(
    `update builds set status = 'failed', step = null, address = null,
                       failure = coalesce(failure, $2), updated_at = now()
      where id = $1 and status = 'pending' returning true`,
    [id, failure],
  )
  return rows.length === 1
}
