/** Processes asked for inside running dynos. A row is gone once its process was started. */

import type { Dyno } from '../model/dyno.ts'
import type { AccountId, AppId, DynoId, EntryId } from '../model/ids.ts'
import type { TerminalSize } from '../model/terminal.ts'
import type { UsedToken } from './accounts.ts'
import type { Queryable } from './queryable.ts'
import { wake, wakeAll } from './work.ts'

export interface NewEntry {
  readonly id: EntryId
  readonly dyno: DynoId
  /** Who asks for it and may have a number of them; null: its client is there already. */
  readonly account: AccountId | null
  readonly command: string
  /** Sealed for the app. */
  readonly environment: Buffer
  readonly attachSecret: Buffer
  readonly terminal: TerminalSize | undefined
  /** That it is asked for by; null: by none, or another watches over its client. */
  readonly token: UsedToken | null
}

/** `region`: whose manager is to start it. */
export async function addEntry(
  tx: Queryable,
  it: NewEntry,
  region: string,
): Promise<void> {
  await tx.query(
    `insert into entries (id, dyno, command, environment, attach_secret_sha256, columns, rows,
                          "authorization", rotations, account)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      it.id,
      it.dyno,
      it.command,
      it.environment,
      it.attachSecret,
      it.terminal?.columns ?? null,
      it.terminal?.rows ?? null,
      it.token?.authorization ?? null,
      it.token?.rotations ?? null,
      it.account,
    ],
  )
  await wake(tx, { kind: 'entry', subject: it.id, region })
}

/** Of all apps. */
export async function countEntriesOf(db: Queryable, account: AccountId): Promise<number> {
  const { rows } = await db.query(
    'select count(*)::integer as entries from entries where account = $1',
    [account],
  )
  return (rows as { entries: number }[])[0]?.entries ?? 0
}

export interface EntryFacts {
  readonly id: EntryId
  readonly command: string
  readonly terminal: TerminalSize | null
  readonly attached: boolean
  /** Milliseconds, by the database's clock. */
  readonly age: number
  readonly app: AppId
  readonly dyno: Pick<Dyno, 'id' | 'state' | 'type' | 'ordinal' | 'port'>
  /** Sealed for the app: its dyno's config vars, and the entry's own variables. */
  readonly configVars: Buffer
  readonly environment: Buffer
}

export async function findEntry(
  db: Queryable,
  id: EntryId,
): Promise<EntryFacts | undefined> {
  const { rows } = await db.query(
    `select e.id, e.command, e.environment, e.attached_at is not null as attached,
            (extract(epoch from now() - e.created_at) * 1000)::float8 as age,
            case when e.columns is not null and e.rows is not null
                 then json_build_object('columns', e.columns, 'rows', e.rows) end as terminal,
            d.app, r.config_vars as "configVars",
            json_build_object('id', d.id, 'state', d.state, 'type', d.type,
                              'ordinal', d.ordinal, 'port', d.port) as dyno
       from entries e
       join dynos d on d.id = e.dyno
       join releases r on r.id = d.release
      where e.id = $1`,
    [id],
  )
  return (rows as EntryFacts[])[0]
}

export async function forgetEntry(db: Queryable, id: EntryId): Promise<void> {
  await db.query('delete from entries where id = $1', [id])
}

/** Has those looked at that wait for their turn inside the dyno. */
export async function wakeEntriesOf(db: Queryable, dyno: DynoId): Promise<void> {
  const { rows } = await db.query(
    `select e.id as subject, d.region from entries e join dynos d on d.id = e.dyno
      where e.dyno = $1 and e.attached_at is not null`,
    [dyno],
  )
  const subjects = rows as { subject: EntryId; region: string }[]
  await wakeAll(
    db,
    subjects.map((it) => ({ kind: 'entry', ...it })),
  )
}
