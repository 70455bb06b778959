import type { Permission, TeamRole } from '../model/access.ts'
import type { Account } from '../model/app.ts'
import { type AccountId, type AppId, type Id, isUuid } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface Collaborator {
  readonly id: Id<'collaborator'>
  readonly account: Account
  /** In the team that owns the app; `collaborator` where there is none, or it is not in it. */
  readonly role: TeamRole
  readonly permissions: readonly Permission[]
  readonly createdAt: Date
  readonly updatedAt: Date
}

const tables = `collaborators c
  join accounts u on u.id = c.account
  join apps a on a.id = c.app
  left join team_members m on m.team = a.owner and m.account = c.account`

const columns = `c.id, json_build_object('id', u.id, 'email', u.email) as account,
  coalesce(m.role, 'collaborator') as role, c.permissions, c.created_at as "createdAt", c.updated_at as "updatedAt"`

/** Whom the app was opened to; its owner is none of them. */
export async function collaboratorsOf(
  db: Queryable,
  app: AppId,
): Promise<Collaborator[]> {
  const { rows } = await db.query(
    `select ${columns} from ${tables}
      where c.app = $1 order by u.email`,
    [app],
  )
  return rows as Collaborator[]
}

/** By its own id, or the account's id or address. */
export async function findCollaborator(
  db: Queryable,
  app: AppId,
  identity: string,
): Promise<Collaborator | undefined> {
  const key = isUuid(identity) ? '$2::uuid in (c.id, u.id)' : 'u.email = lower($2)'
  const { rows } = await db.query(
    `select ${columns} from ${tables}
      where c.app = $1 and ${key}`,
    [app, identity],
  )
  return (rows as Collaborator[])[0]
}

/** Says false where the account is one already. */
export async function addCollaborator(
  tx: Queryable,
  it: {
    readonly id: Collaborator['id']
    readonly app: AppId
    readonly account: AccountId
    readonly permissions: readonly Permission[]
  },
): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into collaborators (id, app, account, permissions) values ($1, $2, $3, $4)
     on conflict (app, account) do nothing returning true`,
    [it.id, it.app, it.account, it.permissions],
  )
  return rows.length === 1
}

export async function changePermissions(
  tx: Queryable,
  id: Collaborator['id'],
  permissions: readonly Permission[],
): Promise<void> {
  await tx.query(
    'update collaborators set permissions = $2, updated_at = now() where id = $1',
    [id, permissions],
  )
}

export async function removeCollaborator(
  tx: Queryable,
  id: Collaborator['id'],
): Promise<void> {
  await tx.query('delete from collaborators where id = $1', [id])
}

/** Those who came by the old owner. */
export async function removeCollaborators(tx: Queryable, app: AppId): Promise<void> {
  await tx.query('delete from collaborators where app = $1', [app])
}
