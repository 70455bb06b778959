import type { AccountId, AppId } from '../model/ids.ts'
import type { AuthorizationId } from './accounts.ts'
import { FORGOTTEN_AT_ONCE } from './forgotten-at-once.ts'
import type { Queryable } from './queryable.ts'

/** One attempt to change something: who, from where, what, and what came of it. */
export interface AuditEntry {
  /** Null: an attempt to log in to an account that is not there. What was typed is not kept. */
  readonly account: AccountId | null
  readonly email: string | null
  /** Null where a password was given instead. */
  readonly authorization: AuthorizationId | null
  readonly address: string | null
  /** As the answer's `Request-Id`. */
  readonly request: string | null
  readonly method: string
  /** The pattern: `/apps/:app/dynos/:dyno`. */
  readonly route: string
  /** What stood in the pattern's places, or was made: `{ app: 'my-app' }`. Never a secret. */
  readonly nouns: Readonly<Record<string, string>>
  readonly app: AppId | null
  /** Of the answer. */
  readonly status: number
}

export interface KeptAuditEntry extends AuditEntry {
  readonly id: string
  readonly at: Date
}

export async function writeAudit(db: Queryable, it: AuditEntry): Promise<void> {
  await db.query(
    `insert into audit (account, email, "authorization", address, request, method, route,
                        nouns, app, status)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      it.account,
      it.email,
      it.authorization,
      it.address,
      it.request,
      it.method,
      it.route,
      JSON.stringify(it.nouns),
      it.app,
      it.status,
    ],
  )
}

/** Which entries; what is undefined does not matter. */
export interface WhichAudit {
  /** By name, one that is or one that was written down; or by id. */
  readonly app?: string | undefined
  /** By address: who did it, or to whom an operator did. */
  readonly account?: string | undefined
  readonly since?: Date | undefined
  readonly most: number
}

/** The newest, the oldest of them first. */
export async function findAudit(
  db: Queryable,
  { app, account, since, most }: WhichAudit,
): Promise<KeptAuditEntry[]> {
  const { rows } = await db.query(
    `select id, at, account, email, "authorization", host(address) as address, request,
            method, route, nouns, app, status
       from (select id, at, account, email, "authorization", address, request, method,
                    route, nouns, app, status
               from audit
              where ($1::text is null or nouns ->> 'app' = $1 or app::text = $1
                     or app in (select a.id from apps a
                                 where a.name = $1 and a.deleted_at is null))
                and ($2::text is null or email = $2 or nouns ->> 'account' = $2)
                and ($3::timestamptz is null or at >= $3)
              order by id desc limit $4) newest
      order by id`,
    [app, account, since, most],
  )
  return rows as KeptAuditEntry[]
}

/** Some thousands. */
export async function forgetAuditBefore(db: Queryable, before: Date): Promise<void> {
  await db.query(
    `delete from audit
      where id = any(array(select id from audit where at < $1 order by at limit $2))`,
    [before, FORGOTTEN_AT_ONCE],
  )
}
