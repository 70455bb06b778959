import type { TeamRole } from '../model/access.ts'
import type { AccountId, TeamId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { faultOfMembers } from '../model/team.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockTeam, membersOf, removeMember, setMember } from '../store/teams.ts'

/**
 * Gives the account a role in the team, or with none takes it out of it. A Problem
 * `invalid_params` where the team would have no admin any more.
 */
export async function changeMembers(
  tx: Queryable,
  team: TeamId,
  { account, role }: { readonly account: AccountId; readonly role: TeamRole | undefined },
): Promise<void> {
  await lockTeam(tx, team)
  if (role) await setMember(tx, { team, account, role })
  else await removeMember(tx, team, account)
  const fault = faultOfMembers(await membersOf(tx, team))
  if (fault) throw new Problem('invalid_params', fault)
}
