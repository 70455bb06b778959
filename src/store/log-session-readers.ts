/** Log sessions as `logs` needs them; they are good for six minutes after they were last read. */

import type { AccountId, AppId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface LogSession {
  readonly id: string
  readonly app: AppId
  /** Who asked for it; null: that was not written down yet. */
  readonly account: AccountId | null
  readonly source: string | null
  readonly dyno: string | null
  readonly lines: number
  readonly tail: boolean
}

/** Opens a session for reading; undefined if there is none, its time is over or its app gone. */
export async function openLogSession(
  db: Queryable,
  tokenSha256: Buffer,
): Promise<LogSession | undefined> {
  const { rows } = await db.query(
    `update log_sessions s set read_at = now() from apps a
      where s.token_sha256 = $1 and a.id = s.app and a.deleted_at is null
        and coalesce(s.read_at, s.created_at) > now() - interval '6 minutes'
      returning s.id, s.app, s.account, s.source, s.dyno, s.lines, s.tail`,
    [tokenSha256],
  )
  return (rows as LogSession[])[0]
}

/** Keeps these alive, and deletes all whose time is over. */
export async function tidyLogSessions(
  db: Queryable,
  beingRead: readonly string[],
): Promise<void> {
  await db.query('update log_sessions set read_at = now() where id = any($1::uuid[])', [
    beingRead,
  ])
  await db.query(
    `delete from log_sessions
      where coalesce(read_at, created_at) < now() - interval '6 minutes'`,
  )
}
