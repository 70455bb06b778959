import type { AccountId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** The sealed secret; undefined where the account has no second factor. */
export async function twoFactorOf(
  db: Queryable,
  account: AccountId,
): Promise<Buffer | undefined> {
  const { rows } = await db.query('select secret from two_factors where account = $1', [
    account,
  ])
  return (rows as { readonly secret: Buffer }[])[0]?.secret
}

/** Instead of the one there was, whose recovery codes go with it. */
export async function keepTwoFactor(
  tx: Queryable,
  account: AccountId,
  it: { readonly secret: Buffer; readonly recoveryCodes: readonly Buffer[] },
): Promise<void> {
  await forgetTwoFactor(tx, account)
  await tx.query('insert into two_factors (account, secret) values ($1, $2)', [
    account,
    it.secret,
  ])
  await tx.query(
    'insert into recovery_codes (account, sha256) select $1, unnest($2::bytea[])',
    [account, it.recoveryCodes],
  )
}

/** Says false where there was none. */
export async function forgetTwoFactor(
  tx: Queryable,
  account: AccountId,
): Promise<boolean> {
  const { rows } = await tx.query(
    'delete from two_factors where account = $1 returning true',
    [account],
  )
  return rows.length === 1
}

/** Says false where this code or a newer one was taken before. */
export async function takeStep(
  db: Queryable,
  account: AccountId,
  step: number,
): Promise<boolean> {
  const { rows } = await db.query(
    `update two_factors set last_step = $2
      where account = $1 and last_step < $2 returning true`,
    [account, step],
  )
  return rows.length === 1
}

/** Says false where it is none, or was taken before. */
export async function takeRecoveryCode(
  db: Queryable,
  account: AccountId,
  sha256: Buffer,
): Promise<boolean> {
  const { rows } = await db.query(
    'delete from recovery_codes where account = $1 and sha256 = $2 returning true',
    [account, sha256],
  )
  return rows.length === 1
}
