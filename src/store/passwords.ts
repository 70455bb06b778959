import type { Account } from '../model/app.ts'
import type { AccountId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** An account, and the hash of its password where it has one. */
export interface AccountToLogIn {
  readonly account: Account
  readonly hash: string | undefined
}

export async function accountToLogIn(
  db: Queryable,
  email: string,
): Promise<AccountToLogIn | undefined> {
  const { rows } = await db.query(
    `select a.id, a.email, p.hash from accounts a left join passwords p on p.account = a.id
      where a.email = $1 and a.id not in (select id from teams)`,
    [email.toLowerCase()],
  )
  const [row] = rows as (Account & { readonly hash: string | null })[]
  if (!row) return undefined
  const { id, email: address, hash } = row
  return { account: { id, email: address }, hash: hash ?? undefined }
}

export async function hasPassword(db: Queryable, account: AccountId): Promise<boolean> {
  const { rows } = await db.query('select true from passwords where account = $1', [
    account,
  ])
  return rows.length === 1
}

/**
 * Whether this is the hash of the account's password; then it stays so until the transaction ends.
 * Before `lockAuthorizations`, where there is both.
 */
export async function holdPassword(
  tx: Queryable,
  account: AccountId,
  hash: string,
): Promise<boolean> {
  const { rows } = await tx.query(
    'select true from passwords where account = $1 and hash = $2 for update',
    [account, hash],
  )
  return rows.length === 1
}

export async function keepPassword(
  tx: Queryable,
  account: AccountId,
  hash: string,
): Promise<void> {
  await tx.query(
    `insert into passwords (account, hash) values ($1, $2)
     on conflict (account) do update set hash = excluded.hash, updated_at = now()`,
    [account, hash],
  )
}

/** Says false where there was none. */
export async function forgetPassword(
  tx: Queryable,
  account: AccountId,
): Promise<boolean> {
  const { rows } = await tx.query(
    'delete from passwords where account = $1 returning true',
    [account],
  )
  return rows.length === 1
}
