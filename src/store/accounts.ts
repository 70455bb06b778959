import type { Account } from '../model/app.ts'
import { type AccountId, type Id, isUuid } from '../model/ids.ts'
import type { Scope } from '../model/scope.ts'
import type { Queryable } from './queryable.ts'

export interface AccountDetails extends Account {
  readonly name: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Whether a password is not enough. */
  readonly twoFactor: boolean
}

/** Who comes with a good API key, and what that is good for. */
export interface Bearer extends Account, UsedToken {
  readonly scope: readonly Scope[]
}

/** A token that something is asked for by. */
export interface UsedToken {
  readonly authorization: AuthorizationId
  /** How often it had been rotated by then: once it has more, who asked may not know its key. */
  readonly rotations: number
}

/** Whose API key has this digest, unless it has expired. */
export async function accountOfToken(
  db: Queryable,
  sha256: Buffer,
): Promise<Bearer | undefined> {
  return bearerBy(db, 't.token_sha256', sha256)
}

/** Whose it is, unless it was revoked or has expired. */
export async function accountOfAuthorization(
  db: Queryable,
  authorization: AuthorizationId,
): Promise<Bearer | undefined> {
  return bearerBy(db, 't.id', authorization)
}

async function bearerBy(
  db: Queryable,
  column: 't.token_sha256' | 't.id',
  value: Buffer | AuthorizationId,
): Promise<Bearer | undefined> {
  const { rows } = await db.query(
    `select a.id, a.email, t.id as authorization, t.rotations, t.scope
       from authorizations t join accounts a on a.id = t.account
      where ${column} = $1 and (t.expires_at is null or t.expires_at > now())`,
    [value],
  )
  return (rows as Bearer[])[0]
}

export async function accountDetails(
  db: Queryable,
  id: AccountId,
): Promise<AccountDetails> {
  const { rows } = await db.query(
    `select id, email, name, created_at as "createdAt", updated_at as "updatedAt",
            exists (select from two_factors where account = id) as "twoFactor"
       from accounts where id = $1`,
    [id],
  )
  const account = (rows as AccountDetails[])[0]
  if (!account) throw new Error(`there is no account ${id}`)
  return account
}

export async function renameAccount(
  tx: Queryable,
  id: AccountId,
  name: string | null,
): Promise<void> {
  await tx.query('update accounts set name = $2, updated_at = now() where id = $1', [
    id,
    name,
  ])
}

/** The account that set-up made, before all others: that of whoever runs the installation. */
export async function isOperator(db: Queryable, id: AccountId): Promise<boolean> {
  const { rows } = await db.query(
    'select id from accounts order by created_at, id limit 1',
  )
  return (rows as { id: AccountId }[])[0]?.id === id
}

/** By id or address; a team is none. */
export async function findAccount(
  db: Queryable,
  identity: string,
): Promise<Account | undefined> {
  const key = isUuid(identity) ? 'id' : 'email'
  const { rows } = await db.query(
    `select id, email from accounts
      where ${key} = $1 and id not in (select id from teams)`,
    [isUuid(identity) ? identity : identity.toLowerCase()],
  )
  return (rows as Account[])[0]
}

/** Keeps the account that already has the address. */
export async function ensureAccount(
  tx: Queryable,
  account: {
    readonly id: AccountId
    readonly email: string
    readonly name: string | null
  },
): Promise<Account> {
  const { rows } = await tx.query(
    `insert into accounts (id, email, name) values ($1, $2, $3)
     on conflict (email) do update set name = coalesce(excluded.name, accounts.name)
     returning id, email`,
    [account.id, account.email, account.name],
  )
  return rows[0] as Account
}

/** An API key as its owner may see it: all but the key. */
export interface Authorization {
  readonly id: AuthorizationId
  readonly description: string
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly expiresAt: Date | null
  readonly scope: readonly Scope[]
}

export type AuthorizationId = Id<'authorization'>

export interface NewAuthorization {
  readonly id: AuthorizationId
  readonly account: AccountId
  readonly sha256: Buffer
  readonly description: string
  /** All, where it is left out. */
  readonly scope?: readonly Scope[]
  readonly expiresAt?: Date | null
  /** Somebody logged in, for a time. */
  readonly byLogin?: boolean
}

/** Does nothing where the key is known already. */
export async function ensureAuthorization(
  tx: Queryable,
  it: NewAuthorization,
): Promise<void> {
  await tx.query(
    `insert into authorizations
            (id, account, token_sha256, description, scope, expires_at, by_login)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (token_sha256) do nothing`,
    [
      it.id,
      it.account,
      it.sha256,
      it.description,
      it.scope ?? ['global'],
      it.expiresAt,
      it.byLogin ?? false,
    ],
  )
}

const authorizationColumns = `id, description, created_at as "createdAt",
  updated_at as "updatedAt", expires_at as "expiresAt", scope`

export async function authorizationsOf(
  db: Queryable,
  account: AccountId,
): Promise<Authorization[]> {
  const { rows } = await db.query(
    `select ${authorizationColumns} from authorizations where account = $1
      order by created_at, id`,
    [account],
  )
  return rows as Authorization[]
}

/** Undefined where the account has no such key. */
export async function findAuthorization(
  db: Queryable,
  account: AccountId,
  id: string,
): Promise<Authorization | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await db.query(
    `select ${authorizationColumns} from authorizations where account = $1 and id = $2`,
    [account, id],
  )
  return (rows as Authorization[])[0]
}

/** Those that no login made. */
export async function countAuthorizations(
  db: Queryable,
  account: AccountId,
): Promise<number> {
  const { rows } = await db.query(
    'select count(*)::integer as count from authorizations where account = $1 and not by_login',
    [account],
  )
  return (rows as { count: number }[])[0]?.count ?? 0
}

export async function forgetExpiredAuthorizations(
  tx: Queryable,
  account: AccountId,
): Promise<void> {
  await tx.query(
    'delete from authorizations where account = $1 and expires_at <= now()',
    [account],
  )
}

/** The oldest of those that logins made, beyond so many. */
export async function forgetLogins(
  tx: Queryable,
  account: AccountId,
  but: number,
): Promise<void> {
  await tx.query(
    `delete from authorizations where id in (
       select id from authorizations where account = $1 and by_login
        order by created_at desc, id offset $2)`,
    [account, but],
  )
}

export async function describeAuthorization(
  tx: Queryable,
  id: AuthorizationId,
  description: string,
): Promise<void> {
  await tx.query(
    'update authorizations set description = $2, updated_at = now() where id = $1',
    [id, description],
  )
}

/** The old key is none any more, and who was let into a dyno by it is out. */
export async function rotateAuthorization(
  tx: Queryable,
  id: AuthorizationId,
  sha256: Buffer,
): Promise<void> {
  await tx.query(
    `update authorizations set token_sha256 = $2, rotations = rotations + 1, updated_at = now()
      where id = $1`,
    [id, sha256],
  )
  await tx.query('delete from exec_reservations where "authorization" = $1', [id])
}

/** Nobody else makes, rotates or revokes all keys of the account until the transaction ends. */
export async function lockAuthorizations(
  tx: Queryable,
  account: AccountId,
): Promise<void> {
  await tx.query('select from accounts where id = $1 for no key update', [account])
}

/** All that the account has, and what is just being made by one; returns how many those were. */
export async function removeAuthorizations(
  tx: Queryable,
  account: AccountId,
): Promise<number> {
  await lockAuthorizations(tx, account)
  const { rows } = await tx.query(
    'delete from authorizations where account = $1 returning true',
    [account],
  )
  return rows.length
}

/** Says false where the account has no such key. */
export async function removeAuthorization(
  tx: Queryable,
  account: AccountId,
  id: AuthorizationId,
): Promise<boolean> {
  const { rows } = await tx.query(
    'delete from authorizations where account = $1 and id = $2 returning true',
    [account, id],
  )
  return rows.length === 1
}
