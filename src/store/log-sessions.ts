import type { AccountId, AppId, Id } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface NewLogSession {
  readonly id: Id<'log session'>
  /** Of the capability in its URL: whoever knows that may read. */
  readonly tokenSha256: Buffer
  readonly app: AppId
  /** Whose it is, and among whose readers its readers count. */
  readonly account: AccountId
  /** `app`, `heroku`; null: both. */
  readonly source: string | null
  /** A place (`web.1`) or a process type; null: all. */
  readonly dyno: string | null
  readonly lines: number
  readonly tail: boolean
}

/** Returns when it was created. */
export async function addLogSession(tx: Queryable, it: NewLogSession): Promise<Date> {
  const { rows } = await tx.query(
    `insert into log_sessions (id, token_sha256, app, account, source, dyno, lines, tail)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning created_at`,
    [it.id, it.tokenSha256, it.app, it.account, it.source, it.dyno, it.lines, it.tail],
  )
  return (rows as [{ created_at: Date }])[0].created_at
}
