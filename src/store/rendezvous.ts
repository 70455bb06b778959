/** What `rendezvous` does to one-off dynos and to processes started inside dynos: their clients come and go. */

import type { AccountId, AppId, DynoId, EntryId } from '../model/ids.ts'
import type { AuthorizationId } from './accounts.ts'
import type { Queryable } from './queryable.ts'
import { standingOn } from './standings.ts'
import { wake, wakeAll } from './work.ts'

/** What a client is promised: a one-off dyno's process, or one started inside a dyno. */
export interface PromisedProcess {
  readonly dyno: DynoId
  /** Null: the dyno's own process, which its client's going ends. */
  readonly entry: EntryId | null
  readonly region: string
  /** Otherwise it has pipes. */
  readonly hasTerminal: boolean
  readonly app: AppId
  /** Of the token that it was asked for by, as of then; null: by none. */
  readonly authorization: AuthorizationId | null
  readonly rotations: number | null
}

/**
 * Admits the client that knows this secret, once, and tells the manager, who starts the process
 * now; undefined: there is none, it is over, or it has had its client.
 */
export async function attachClient(
  tx: Queryable,
  secretSha256: Buffer,
): Promise<PromisedProcess | undefined> {
  return (
    (await attachToOneOff(tx, secretSha256)) ?? (await attachToEntry(tx, secretSha256))
  )
}

async function attachToOneOff(
  tx: Queryable,
  secretSha256: Buffer,
): Promise<PromisedProcess | undefined> {
  const { rows } = await tx.query(
    `update one_offs o set attached_at = now()
       from dynos d
      where o.attach_secret_sha256 = $1 and o.attached_at is null
        and d.id = o.dyno and d.state = 'starting'
      returning d.id as dyno, null as entry, d.region, d.app, o."authorization", o.rotations,
                o.columns is not null and o.rows is not null as "hasTerminal"`,
    [secretSha256],
  )
  const [process] = rows as PromisedProcess[]
  if (!process) return undefined
  const { dyno: subject, region } = process
  await wake(tx, { kind: 'one-off', subject, region })
  return process
}

async function attachToEntry(
  tx: Queryable,
  secretSha256: Buffer,
): Promise<PromisedProcess | undefined> {
  const { rows } = await tx.query(
    `update entries e set attached_at = now()
       from dynos d
      where e.attach_secret_sha256 = $1 and e.attached_at is null
        and d.id = e.dyno and d.state = 'up'
      returning d.id as dyno, e.id as entry, d.region, d.app, e."authorization",
                e.rotations,
                e.columns is not null and e.rows is not null as "hasTerminal"`,
    [secretSha256],
  )
  const [process] = rows as (PromisedProcess & { entry: EntryId })[]
  if (!process) return undefined
  await wake(tx, { kind: 'entry', subject: process.entry, region: process.region })
  return process
}

/** Whether the token that it was asked for by is as good as then, and its account may operate the app. */
export async function isStillLetIn(
  db: Queryable,
  { app, authorization, rotations }: PromisedProcess,
): Promise<boolean> {
  if (authorization === null) return true
  const { rows } = await db.query(
    `select account from authorizations
      where id = $1 and (expires_at is null or expires_at > now())
        and rotations = $2`,
    [authorization, rotations],
  )
  const [bearer] = rows as { account: AccountId }[]
  const standing = bearer && (await standingOn(db, bearer.account, app))
  return standing?.permissions.includes('operate') ?? false
}

/** The client is gone. Of a one-off the manager is told; an entry ends by itself. */
export async function detachClient(
  tx: Queryable,
  { dyno: id, entry, region }: PromisedProcess,
): Promise<void> {
  if (entry) return
  const { rows } = await tx.query(
    `update one_offs set detached_at = now() where dyno = $1 and detached_at is null
      returning true`,
    [id],
  )
  if (rows.length > 0) await wake(tx, { kind: 'one-off', subject: id, region })
}

/** Every client is gone: the process that held their connections has just been started. */
export async function detachAllClients(tx: Queryable): Promise<void> {
  const { rows } = await tx.query(
    `update one_offs o set detached_at = now()
       from dynos d
      where o.attached_at is not null and o.detached_at is null
        and d.id = o.dyno and d.state <> 'down'
      returning d.id, d.region`,
  )
  await wakeAll(
    tx,
    (rows as { id: DynoId; region: string }[]).map(({ id, region }) => ({
      kind: 'one-off',
      subject: id,
      region,
    })),
  )
}

/** Whether nobody is about to start it any more: it was started, or it never will be. */
export async function isSettled(
  db: Queryable,
  { dyno, entry }: PromisedProcess,
): Promise<boolean> {
  const { rows } = await db.query(
    entry
      ? 'select 1 from entries where id = $1'
      : `select 1 from dynos where id = $1 and state = 'starting'`,
    [entry ?? dyno],
  )
  return rows.length === 0
}
