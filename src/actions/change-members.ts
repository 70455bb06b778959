import type { TeamRole } from '../model/access.ts'
import type { AccountId, TeamId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { faultOfMembers } from '../model/team.ts'
import type { Queryable } from '../store/queryable.ts'
import { standingIn } from '../store/standings.ts'
import { lockTeam, membersOf, removeMember, setMember } from '../store/teams.ts'

export interface Membership {
  readonly account: AccountId
  /** Undefined: it is in the team no more. */
  readonly role: TeamRole | undefined
  /** An admin, who says so; or who leaves. */
  readonly by: AccountId
}

/**
 * Gives the account a role in the team, or takes it out of it. A Problem `invalid_params` where
 * the team would have no admin any more, `conflict` where who says it has just ceased to be one.
 */
export async function changeMembers(
  tx: Queryable,
  team: TeamId,
  { account, role, by }: Membership,
): Promise<void> {
  await lockTeam(tx, team)
  const leaves = account === by && role === undefined
  // Who is shut out at this moment does not let himself in again.
  if (!leaves && (await standingIn(tx, by, team))?.role !== 'admin') {
    throw new Problem('conflict', 'You have just ceased to be an admin of this team.')
  }
  if (role) await setMember(tx, { team, account, role })
  else await removeMember(tx, team, account)
  const fault = faultOfMembers(await membersOf(tx, team))
  if (fault) throw new Problem('invalid_params', fault)
}
