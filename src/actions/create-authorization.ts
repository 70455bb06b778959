import type { AccountId } from '../model/ids.ts'
import { newId } from '../model/ids.ts'
import { digestOf } from '../model/token.ts'
import { ensureAuthorization } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'

export interface AuthorizationWish {
  readonly account: { readonly id: AccountId }
  /** The API key; only its digest is kept. */
  readonly token: string
  readonly description: string
}

/** For set-up, which may be repeated: a key that is known already stays as it is. */
export async function createAuthorization(
  tx: Queryable,
  { account, token, description }: AuthorizationWish,
): Promise<void> {
  await ensureAuthorization(tx, {
    id: newId(),
    account: account.id,
    sha256: digestOf(token),
    description,
  })
}
