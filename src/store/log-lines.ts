import type { AppId } from '../model/ids.ts'
import { LONGEST_LINE } from '../model/log-line.ts'
import type { Queryable } from './queryable.ts'

/** A line of the platform's own for an app's log: `heroku[web.1]: Restarting`. */
export interface LogLine {
  readonly app: AppId
  readonly source: 'app' | 'heroku'
  /** `web.1`, `api`, `router`. */
  readonly ps: string
  /** What is beyond a line's length is not kept. */
  readonly message: string
}

/** The channel on which `logs` hears that there are lines to fetch. */
export const LOG_LINES = 'log_lines'

/** Called in the transaction that the lines speak of. Their order is kept. */
export async function writeLogLines(
  db: Queryable,
  lines: readonly LogLine[],
): Promise<void> {
  if (lines.length === 0) return
  await db.query(
    `with written as (
       insert into log_lines (app, source, ps, message)
       select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]))
     select pg_notify($5, '')`,
    [
      lines.map((line) => line.app),
      lines.map((line) => line.source),
      lines.map((line) => line.ps),
      lines.map((line) => line.message.slice(0, LONGEST_LINE)),
      LOG_LINES,
    ],
  )
}
