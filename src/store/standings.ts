import {
  type Relation,
  type Standing,
  standingOf,
  type TeamRole,
} from '../model/access.ts'
import { type AccountId, type AppId, isUuid, type TeamId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface AppStanding extends Standing {
  readonly app: AppId
}

/**
 * What the account is to the app of that id or name; undefined where there is none, and
 * where the account must not learn that there is.
 */
export async function standingOn(
  db: Queryable,
  account: AccountId,
  identity: string,
): Promise<AppStanding | undefined> {
  const key = isUuid(identity) ? 'a.id' : 'a.name'
  const { rows } = await db.query(
    `select a.id as app, a.owner = $2 as "isOwner", t.id is not null as "ofTeam", a.locked,
            m.role as "teamRole", c.permissions as granted
       from apps a
       left join teams t on t.id = a.owner
       left join team_members m on m.team = a.owner and m.account = $2
       left join collaborators c on c.app = a.id and c.account = $2
      where ${key} = $1 and a.deleted_at is null`,
    [identity, account],
  )
  const relation = (rows as (Relation & { app: AppId })[])[0]
  const standing = relation && standingOf(relation)
  return standing && { ...standing, app: relation.app }
}

export interface TeamStanding {
  readonly team: TeamId
  readonly role: TeamRole
}

/** Undefined where the account does not belong to the team of that id or name. */
export async function standingIn(
  db: Queryable,
  account: AccountId,
  identity: string,
): Promise<TeamStanding | undefined> {
  const key = isUuid(identity) ? 't.id' : 't.name'
  const { rows } = await db.query(
    `select t.id as team, m.role
       from teams t join team_members m on m.team = t.id
      where ${key} = $1 and m.account = $2`,
    [identity, account],
  )
  return (rows as TeamStanding[])[0]
}
