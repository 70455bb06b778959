import type { App } from '../model/app.ts'
import { type AccountId, type AppId, isUuid, type ReleaseId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'
import { isUniqueViolation } from './unique-violation.ts'

const columns = `a.id, a.name, a.region, r.id as "regionId", r.domain,
  r.http_port as "httpPort", a.stack, a.maintenance, a.acm, a.current_release as "currentRelease",
  case when t.id is null then null else json_build_object('id', t.id, 'name', t.name) end as team,
  a.locked, a.repo_size::float8 as "repoSize", s.size::float8 as "slugSize",
  s.buildpack_provided_description as "buildpackProvidedDescription",
  a.created_at as "createdAt", a.updated_at as "updatedAt", a.released_at as "releasedAt",
  json_build_object('id', o.id, 'email', o.email) as owner`

const tables = `apps a
  join regions r on r.name = a.region
  join accounts o on o.id = a.owner
  left join teams t on t.id = a.owner
  left join releases c on c.id = a.current_release
  left join slugs s on s.id = c.slug`

/** By id or by name; destroyed apps are not found. */
export async function findApp(db: Queryable, identity: string): Promise<App | undefined> {
  const key = isUuid(identity) ? 'a.id' : 'a.name'
  const { rows } = await db.query(
    `select ${columns} from ${tables} where ${key} = $1 and a.deleted_at is null`,
    [identity],
  )
  return (rows as App[])[0]
}

/** Those that `standingOf` lets the account see; of one owner, where that is given. */
export async function appsSeenBy(
  db: Queryable,
  account: AccountId,
  owner?: AccountId,
): Promise<App[]> {
  const { rows } = await db.query(
    `select ${columns} from ${tables}
      where a.deleted_at is null and ($2::uuid is null or a.owner = $2)
        and (a.owner = $1
             or a.owner in (select team from team_members
                             where account = $1 and role in ('admin', 'member'))
             or a.id in (select app from collaborators where account = $1))
      order by a.name`,
    [account, owner],
  )
  return rows as App[]
}

/**
 * Makes the transaction the only one that changes what is wanted of the app, until it
 * ends. Says false where the app is gone. What belongs to the app (a dyno of its managers,
 * an event, a log line) can be added by others meanwhile.
 */
export async function lockApp(tx: Queryable, id: AppId): Promise<boolean> {
  const { rows } = await tx.query(
    'select true from apps where id = $1 and deleted_at is null for no key update',
    [id],
  )
  return rows.length === 1
}

/** Lets the account get one app at a time; returns how many it has, or undefined where the account is gone. */
export async function lockToAddApp(
  tx: Queryable,
  owner: AccountId,
): Promise<number | undefined> {
  const account = await tx.query(
    'select true from accounts where id = $1 for no key update',
    [owner],
  )
  if (account.rows.length === 0) return undefined
  const { rows } = await tx.query(
    'select count(*)::integer as apps from apps where owner = $1 and deleted_at is null',
    [owner],
  )
  return (rows as { apps: number }[])[0]?.apps ?? 0
}

export interface NewApp {
  readonly id: AppId
  readonly name: string
  readonly region: string
  readonly owner: AccountId
  readonly stack: string
}

/** Says false where the name is taken. */
export async function addApp(tx: Queryable, app: NewApp): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into apps (id, name, region, owner, stack) values ($1, $2, $3, $4, $5)
     on conflict (name) where deleted_at is null do nothing returning true`,
    [app.id, app.name, app.region, app.owner, app.stack],
  )
  return rows.length === 1
}

/** Returns when that was; undefined: the name is another app's. */
export async function changeApp(
  tx: Queryable,
  app: Pick<App, 'id' | 'name' | 'maintenance' | 'stack'>,
): Promise<Date | undefined> {
  try {
    const { rows } = await tx.query(
      `update apps set name = $2, maintenance = $3, stack = $4, updated_at = now()
        where id = $1 returning updated_at as "updatedAt"`,
      [app.id, app.name, app.maintenance, app.stack],
    )
    return (rows as { updatedAt: Date }[])[0]?.updatedAt
  } catch (error) {
    if (isUniqueViolation(error)) return undefined
    throw error
  }
}

export async function changeOwner(
  tx: Queryable,
  app: AppId,
  owner: AccountId,
): Promise<void> {
  await tx.query(
    'update apps set owner = $2, locked = false, updated_at = now() where id = $1',
    [app, owner],
  )
}

/** Returns when that was; undefined: the app is gone. */
export async function setLocked(
  tx: Queryable,
  app: AppId,
  locked: boolean,
): Promise<Date | undefined> {
  const { rows } = await tx.query(
    `update apps set locked = $2, updated_at = now()
      where id = $1 returning updated_at as "updatedAt"`,
    [app, locked],
  )
  return (rows as { updatedAt: Date }[])[0]?.updatedAt
}

export async function markDestroyed(tx: Queryable, app: AppId): Promise<void> {
  await tx.query('update apps set deleted_at = now(), updated_at = now() where id = $1', [
    app,
  ])
}

/** `deployed`: the release has a slug, so this is when the app was last released. */
export async function setCurrentRelease(
  tx: Queryable,
  app: AppId,
  { release, deployed }: { readonly release: ReleaseId; readonly deployed: boolean },
): Promise<void> {
  await tx.query(
    `update apps
        set current_release = $2, updated_at = now(),
            released_at = case when $3 then now() else released_at end
      where id = $1`,
    [app, release, deployed],
  )
}
