import { faultOfOneMoreAuthorization } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import {
  countAuthorizations,
  ensureAuthorization,
  forgetExpiredAuthorizations,
  lockAuthorizations,
  type NewAuthorization,
} from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'

/**
 * An API key that its owner asks for; a Problem `invalid_params` where the account has as many as it may.
 * (The operator's commands make as many as they like: create-authorization.ts.)
 */
export async function makeAuthorization(
  tx: Queryable,
  wish: NewAuthorization,
): Promise<void> {
  await lockAuthorizations(tx, wish.account)
  await forgetExpiredAuthorizations(tx, wish.account)
  const fault = faultOfOneMoreAuthorization(await countAuthorizations(tx, wish.account))
  if (fault) throw new Problem(fault.id, fault.message, fault.details)
  await ensureAuthorization(tx, wish)
}
