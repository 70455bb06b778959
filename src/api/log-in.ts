/**
 * Who somebody is by a password, and a code where the account has a second factor. Nothing
 * here tells an account that is not there, or has no password, from a wrong password.
 */

import { isPassword } from '../lib/password-hash.ts'
import { type Account, faultOfEmail } from '../model/app.ts'
import { LONGEST_PASSWORD } from '../model/password.ts'
import { digestOfRecoveryCode } from '../model/recovery-code.ts'
import { isTotp, stepOfTotp } from '../model/totp.ts'
import { accountToLogIn, holdPassword } from '../store/passwords.ts'
import type { Queryable } from '../store/queryable.ts'
import { takeRecoveryCode, takeStep, twoFactorOf } from '../store/two-factors.ts'
import type { ApiDeps } from './deps.ts'

type LogInDeps = Pick<ApiDeps, 'pool' | 'secrets' | 'clock' | 'attempts'>

/** What came of it, and whose it was: an account that is not there is nobody's. */
export type LogIn =
  | (Right & { readonly outcome: 'password' | 'code' | 'recovery code' })
  | (Right & { readonly outcome: 'code missing' | 'wrong code' })
  | { readonly outcome: 'wrong password'; readonly account: Account | undefined }

interface Right {
  readonly account: Account
  /**
   * Of the password that was right; undefined where only a code was asked for. To look at it takes
   * its time, in which the account may get another: what comes of it asks `holdPassword`.
   */
  readonly hash?: string | undefined
}

export interface Credentials {
  readonly email: string
  readonly password: string
  readonly code: string | undefined
  /** From where they come. */
  readonly address: string
}

/** The Problem `rate_limit` after too many attempts. */
export async function logIn(
  deps: LogInDeps,
  { email, password, code, address }: Credentials,
): Promise<LogIn> {
  const came = await byPassword(deps, { email, password, address })
  if (came.outcome === 'wrong password') return came
  const { account, hash } = came
  if ((await twoFactorOf(deps.pool, account.id)) === undefined) return came
  if (code === undefined) return { outcome: 'code missing', account, hash }
  return { ...(await byCode(deps, { account, code, address })), hash }
}

/** Whether the password that was right is so still, and stays so until the transaction ends. */
export async function isStillGood(tx: Queryable, came: LogIn): Promise<boolean> {
  if (came.outcome === 'wrong password' || came.hash === undefined) return false
  return holdPassword(tx, came.account.id, came.hash)
}

/** The first half: whether the account has a second factor is not asked. */
async function byPassword(
  { pool, attempts }: LogInDeps,
  { email, password, address }: Omit<Credentials, 'code'>,
): Promise<LogIn> {
  const giveBack = attempts.take(email, address)
  const isNone = email.includes('\0') || faultOfEmail(email) !== undefined
  const found = isNone ? undefined : await accountToLogIn(pool, email)
  // What is too long to be one takes no longer than any other.
  const given = password.slice(0, LONGEST_PASSWORD + 1)
  const right = await isPassword(given, found?.hash)
  if (!found || !right) return { outcome: 'wrong password', account: found?.account }
  giveBack()
  return { outcome: 'password', account: found.account, hash: found.hash }
}

/** The second half, for an account whose password was right; a code is taken by it. */
export async function byCode(
  { pool, secrets, clock, attempts }: LogInDeps,
  {
    account,
    code,
    address,
  }: { readonly account: Account; readonly code: string; readonly address: string },
): Promise<Exclude<LogIn, { readonly outcome: 'wrong password' }>> {
  const giveBack = attempts.take(account.email, address)
  const sealed = await twoFactorOf(pool, account.id)
  const typed = code.replace(/\s/g, '')
  let right = false
  if (sealed !== undefined && isTotp(typed)) {
    const secret = Buffer.from(secrets.open(sealed, account.id), 'base64')
    const step = stepOfTotp(secret, typed, clock.now())
    right = step !== undefined && (await takeStep(pool, account.id, step))
  } else if (sealed !== undefined) {
    right = await takeRecoveryCode(pool, account.id, digestOfRecoveryCode(typed))
  }
  if (!right) return { outcome: 'wrong code', account }
  giveBack()
  return { outcome: isTotp(typed) ? 'code' : 'recovery code', account }
}
