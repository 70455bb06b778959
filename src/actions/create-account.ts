import type { Account } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { ensureAccount } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'

/** For set-up, which may be repeated: the account that already has the address stays. */
export async function createAccount(
  tx: Queryable,
  { email, name }: { readonly email: string; readonly name: string | null },
): Promise<Account> {
  return ensureAccount(tx, { id: newId(), email, name })
}
