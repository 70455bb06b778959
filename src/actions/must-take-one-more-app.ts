import type { Account } from '../model/app.ts'
import { faultOfOneMoreApp, type Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { lockToAddApp } from '../store/apps.ts'
import type { Queryable } from '../store/queryable.ts'

/**
 * Lets the account get one app at a time. A Problem `invalid_params` where it may have no more, `not_found`
 * where it is gone meanwhile, as one that a team is can be.
 */
export async function mustTakeOneMoreApp(
  tx: Queryable,
  { id, email }: Account,
  limits: Limits,
): Promise<void> {
  const present = await lockToAddApp(tx, id)
  if (present === undefined) {
    throw new Problem('not_found', `Couldn't find the account ${email} any more.`)
  }
  const fault = faultOfOneMoreApp(present, limits)
  if (fault) throw new Problem(fault.id, fault.message, fault.details)
}
