/** What `rendezvous` does to one-off dynos: their clients come and go. */

import type { DynoState } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'
import { wake } from './work.ts'

export interface AttachedDyno {
  readonly id: DynoId
  readonly region: string
  /** Undefined: pipes. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined
}

/**
 * Admits the client that knows this dyno's secret, once, and tells the manager, who starts the
 * dyno now; undefined: there is no such dyno, it is over, or it has had its client.
 */
export async function attachClient(
  tx: Queryable,
  secretSha256: Buffer,
): Promise<AttachedDyno | undefined> {
  const { rows } = await tx.query(
    `update one_offs o set attached_at = now()
       from dynos d
      where o.attach_secret_sha256 = $1 and o.attached_at is null
        and d.id = o.dyno and d.state = 'starting'
      returning d.id, d.region,
                case when o.columns is not null and o.rows is not null
                     then json_build_object('columns', o.columns, 'rows', o.rows) end
                  as terminal`,
    [secretSha256],
  )
  const [row] = rows as (Omit<AttachedDyno, 'terminal'> & {
    terminal: AttachedDyno['terminal'] | null
  })[]
  if (!row) return undefined
  await wake(tx, { kind: 'one-off', subject: row.id, region: row.region })
  return { ...row, terminal: row.terminal ?? undefined }
}

/** The dyno's client is gone, and the manager is told. */
export async function detachClient(
  tx: Queryable,
  { id, region }: Pick<AttachedDyno, 'id' | 'region'>,
): Promise<void> {
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
  for (const { id, region } of rows as Pick<AttachedDyno, 'id' | 'region'>[]) {
    await wake(tx, { kind: 'one-off', subject: id, region })
  }
}

/** Undefined: the dyno is not there any more. */
export async function stateOfDyno(
  db: Queryable,
  id: DynoId,
): Promise<DynoState | undefined> {
  const { rows } = await db.query('select state from dynos where id = $1', [id])
  return (rows as { state: DynoState }[])[0]?.state
}
