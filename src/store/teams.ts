import type { TeamRole } from '../model/access.ts'
import type { Account } from '../model/app.ts'
import { type AccountId, isUuid, type TeamId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface Team {
  readonly id: TeamId
  readonly name: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface TeamMember {
  readonly account: Account & { readonly name: string | null }
  readonly role: TeamRole
  readonly createdAt: Date
  readonly updatedAt: Date
}

const teamColumns = `t.id, t.name, t.created_at as "createdAt", t.updated_at as "updatedAt"`

/** By id or name. */
export async function findTeam(
  db: Queryable,
  identity: string,
): Promise<Team | undefined> {
  const key = isUuid(identity) ? 't.id' : 't.name'
  const { rows } = await db.query(
    `select ${teamColumns} from teams t where ${key} = $1`,
    [identity],
  )
  return (rows as Team[])[0]
}

/** With what the account is in each. */
export async function teamsOf(
  db: Queryable,
  account: AccountId,
): Promise<(Team & { readonly role: TeamRole })[]> {
  const { rows } = await db.query(
    `select ${teamColumns}, m.role from teams t join team_members m on m.team = t.id
      where m.account = $1 order by t.name`,
    [account],
  )
  return rows as (Team & { readonly role: TeamRole })[]
}

/** Lets the account make one team at a time; returns how many it made that are still there. */
export async function lockToAddTeam(tx: Queryable, founder: AccountId): Promise<number> {
  await tx.query('select from accounts where id = $1 for no key update', [founder])
  const { rows } = await tx.query(
    'select count(*)::integer as teams from teams where founder = $1',
    [founder],
  )
  return (rows as { teams: number }[])[0]?.teams ?? 0
}

export interface NewTeam {
  readonly id: TeamId
  readonly name: string
  /** Of the account that the team is. */
  readonly email: string
  /** Null: the operator made it. */
  readonly founder: AccountId | null
}

/** Says false where the name is taken. */
export async function addTeam(
  tx: Queryable,
  { id, name, email, founder }: NewTeam,
): Promise<boolean> {
  const { rows } = await tx.query(
    `with manager as (
       insert into accounts (id, email, name) values ($1, $3, $2)
       on conflict (email) do nothing returning id)
     insert into teams (id, name, founder) select id, $2, $4 from manager returning true`,
    [id, name, email, founder],
  )
  return rows.length === 1
}

/** Until the transaction ends nobody gives it an app; who is about to has done so when this resolves. */
export async function lockToRemoveTeam(tx: Queryable, id: TeamId): Promise<void> {
  await tx.query('select from accounts where id = $1 for update', [id])
}

export async function removeTeam(tx: Queryable, id: TeamId): Promise<void> {
  await tx.query('delete from accounts where id = $1', [id])
}

/** Destroyed apps too, until their rows are gone. */
export async function ownsApps(tx: Queryable, id: TeamId): Promise<boolean> {
  const { rows } = await tx.query('select true from apps where owner = $1 limit 1', [id])
  return rows.length > 0
}

/** One at a time changes who belongs to the team. */
export async function lockTeam(tx: Queryable, id: TeamId): Promise<void> {
  await tx.query('select from teams where id = $1 for update', [id])
}

const memberColumns = `json_build_object('id', u.id, 'email', u.email, 'name', u.name) as account,
  m.role, m.created_at as "createdAt", m.updated_at as "updatedAt"`

export async function membersOf(db: Queryable, team: TeamId): Promise<TeamMember[]> {
  const { rows } = await db.query(
    `select ${memberColumns} from team_members m join accounts u on u.id = m.account
      where m.team = $1 order by u.email`,
    [team],
  )
  return rows as TeamMember[]
}

/** Added, or changed where the account belongs to the team already. */
export async function setMember(
  tx: Queryable,
  it: { readonly team: TeamId; readonly account: AccountId; readonly role: TeamRole },
): Promise<void> {
  await tx.query(
    `insert into team_members (team, account, role) values ($1, $2, $3)
     on conflict (team, account) do update set role = excluded.role, updated_at = now()`,
    [it.team, it.account, it.role],
  )
}

/** With what the account was given on the team's apps, or is being offered of them, or offers. */
export async function removeMember(
  tx: Queryable,
  team: TeamId,
  account: AccountId,
): Promise<void> {
  await tx.query(
    `with given as (
       delete from collaborators c using apps a
        where a.id = c.app and a.owner = $1 and c.account = $2),
     offered as (
       delete from app_transfers t using apps a
        where a.id = t.app and a.owner = $1 and t.state = 'pending'
          and $2 in (t.recipient, t.owner))
     delete from team_members where team = $1 and account = $2`,
    [team, account],
  )
}
