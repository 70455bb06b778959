import type { Account } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { emailOfTeam, faultOfTeamName } from '../model/team.ts'
import type { Queryable } from '../store/queryable.ts'
import { addTeam, findTeam, setMember, type Team } from '../store/teams.ts'

/** A team with its first admin. */
export async function createTeam(
  tx: Queryable,
  { name, admin }: { readonly name: string; readonly admin: Account },
): Promise<Team> {
  const fault = faultOfTeamName(name)
  if (fault) throw new Problem('invalid_params', fault)
  const id = newId<'account'>()
  if (!(await addTeam(tx, { id, name, email: emailOfTeam(name) }))) {
    throw new Problem('invalid_params', `Name ${name} is already taken`)
  }
  await setMember(tx, { team: id, account: admin.id, role: 'admin' })
  const team = await findTeam(tx, id)
  if (!team) throw new Error(`team ${id} is gone`)
  return team
}
