/** The formations of an app as its owner changes them; the manager's view is elsewhere. */

import type { AppFormation } from '../model/app-formation.ts'
import { type AppId, type FormationId, isUuid } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'
import { wakeAll } from './work.ts'

const columns = `id, app, type, size, command,
  case when command is null then 0 else quantity end as quantity,
  created_at as "createdAt", updated_at as "updatedAt"`

/** Those whose process type the app still has. */
export async function formationsOf(db: Queryable, app: AppId): Promise<AppFormation[]> {
  return (await everyFormationOf(db, app)).filter((it) => it.command !== null)
}

/** Also those whose process type has left the Procfile: they keep their dynos' history. */
export async function everyFormationOf(
  db: Queryable,
  app: AppId,
): Promise<AppFormation[]> {
  const { rows } = await db.query(
    `select ${columns} from formations where app = $1 order by type`,
    [app],
  )
  return rows as AppFormation[]
}

/** By id or by process type. */
export async function findFormation(
  db: Queryable,
  app: AppId,
  identity: string,
): Promise<AppFormation | undefined> {
  const key = isUuid(identity) ? 'id' : 'type'
  const { rows } = await db.query(
    `select ${columns} from formations
      where app = $1 and ${key} = $2 and command is not null`,
    [app, identity],
  )
  return (rows as AppFormation[])[0]
}

export type WantedFormation = Pick<
  AppFormation,
  'id' | 'app' | 'type' | 'quantity' | 'size' | 'command'
>

/** Adds the formation, or changes the one that the app has of this process type. */
export async function putFormation(tx: Queryable, it: WantedFormation): Promise<void> {
  await tx.query(
    `insert into formations (id, app, type, quantity, size, command)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (app, type) do update
        set quantity = excluded.quantity, size = excluded.size,
            command = excluded.command, updated_at = now()
      where (formations.quantity, formations.size, formations.command)
            is distinct from (excluded.quantity, excluded.size, excluded.command)`,
    [it.id, it.app, it.type, it.quantity, it.size, it.command],
  )
}

/**
 * The app has another command for the formation's process type, or none (null) any more, or has it
 * again: then with the quantity and size that it had, which its row has kept.
 */
export async function changeCommand(
  tx: Queryable,
  id: FormationId,
  command: string | null,
): Promise<void> {
  await tx.query(
    `update formations set command = $2, updated_at = now()
      where id = $1 and command is distinct from $2`,
    [id, command],
  )
}

/** Has the manager look at these formations of the app, or at all. */
export async function wakeFormations(
  tx: Queryable,
  app: { readonly id: AppId; readonly region: string },
  only?: readonly FormationId[],
): Promise<void> {
  const { rows } = await tx.query(
    `select id from formations where app = $1 and ($2::uuid[] is null or id = any($2))`,
    [app.id, only ?? null],
  )
  const ids = (rows as { id: FormationId }[]).map(({ id }) => id)
  await wakeAll(
    tx,
    ids.map((subject) => ({ kind: 'formation', subject, region: app.region })),
  )
}
