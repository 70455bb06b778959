import type { Account } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { faultOfOneMoreTeam, type Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { emailOfTeam, faultOfTeamName } from '../model/team.ts'
import type { Queryable } from '../store/queryable.ts'
import { addTeam, findTeam, lockToAddTeam, setMember, type Team } from '../store/teams.ts'

/** A team with its first admin, who made it where `limits` are given: without, the operator did. */
export async function createTeam(
  tx: Queryable,
  { name, admin }: { readonly name: string; readonly admin: Account },
  limits?: Limits,
): Promise<Team> {
  const fault = faultOfTeamName(name)
  if (fault) throw new Problem('invalid_params', fault)
  const tooMany = limits && faultOfOneMoreTeam(await lockToAddTeam(tx, admin.id), limits)
  if (tooMany) throw new Problem(tooMany.id, tooMany.message, tooMany.details)
  const id = newId<'account'>()
  const founder = limits ? admin.id : null
  if (!(await addTeam(tx, { id, name, email: emailOfTeam(name), founder }))) {
    throw new Problem('invalid_params', `Name ${name} is already taken`)
  }
  await setMember(tx, { team: id, account: admin.id, role: 'admin' })
  const team = await findTeam(tx, id)
  if (!team) throw new Error(`team ${id} is gone`)
  return team
}
