/** What `logs` reads of the database: lines to take in, and whose dynos and apps there are. */

import type { AppId, DynoId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface WaitingLine {
  readonly id: string
  readonly app: AppId
  /** `2026-01-01T00:00:00.000000+00:00`. */
  readonly time: string
  readonly source: string
  readonly ps: string
  readonly message: string
  /** Whether the app is still there to have it. */
  readonly wanted: boolean
}

/** The oldest `limit` lines. They stay until they are deleted. */
export async function waitingLogLines(
  db: Queryable,
  limit: number,
): Promise<WaitingLine[]> {
  const { rows } = await db.query(
    `select l.id, l.app, l.source, l.ps, l.message,
            to_char(l.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') as time,
            a.id is not null as wanted
       from log_lines l left join apps a on a.id = l.app and a.deleted_at is null
      order by l.id limit $1`,
    [limit],
  )
  return rows as WaitingLine[]
}

export async function deleteLogLines(
  db: Queryable,
  ids: readonly string[],
): Promise<void> {
  await db.query('delete from log_lines where id = any($1::bigint[])', [ids])
}

export interface LoggedDyno {
  readonly id: DynoId
  readonly app: AppId
  /** `web.1`. */
  readonly place: string
}

/** Which of these are dynos of an app that is still there. */
export async function loggedDynos(
  db: Queryable,
  ids: readonly DynoId[],
): Promise<LoggedDyno[]> {
  const { rows } = await db.query(
    `select d.id, d.app, d.type || '.' || d.ordinal as place
       from dynos d join apps a on a.id = d.app
      where d.id = any($1::uuid[]) and a.deleted_at is null`,
    [ids],
  )
  return rows as LoggedDyno[]
}

/** Which of these apps are still there. */
export async function presentApps(
  db: Queryable,
  ids: readonly AppId[],
): Promise<Set<AppId>> {
  const { rows } = await db.query(
    'select id from apps where id = any($1::uuid[]) and deleted_at is null',
    [ids],
  )
  return new Set((rows as { id: AppId }[]).map((row) => row.id))
}
