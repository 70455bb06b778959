import { faultOfOneMoreAuthorization, MOST_LOGINS } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import {
  countAuthorizations,
  ensureAuthorization,
  forgetExpiredAuthorizations,
  forgetLogins,
  lockAuthorizations,
  type NewAuthorization,
} from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'

/**
 * An API key that its owner asks for; a Problem `invalid_params` where the account has as many as it may.
 * A login is never refused, or whoever has one stolen key would make so many that the owner could not come to
 * revoke them: logins are counted by themselves, and another takes the place of the oldest. No other key goes
 * for it, least of all one that a program was given for good.
 * (The operator's commands make as many as they like: create-authorization.ts.)
 */
export async function makeAuthorization(
  tx: Queryable,
  wish: NewAuthorization,
): Promise<void> {
  await lockAuthorizations(tx, wish.account)
  await forgetExpiredAuthorizations(tx, wish.account)
  if (wish.byLogin) {
    await forgetLogins(tx, wish.account, MOST_LOGINS - 1)
  } else {
    const fault = faultOfOneMoreAuthorization(await countAuthorizations(tx, wish.account))
    if (fault) throw new Problem(fault.id, fault.message, fault.details)
  }
  await ensureAuthorization(tx, wish)
}
