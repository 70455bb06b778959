/** A web dyno that has no room yet, added as a look adds one. */

import type { Pool } from 'pg'

import { type DynoId, newId } from '../src/model/ids.ts'
import { addDynos, type NewDyno } from '../src/store/dynos.ts'
import type { Queryable } from '../src/store/queryable.ts'
import type { AnApp } from './an-app.ts'

/** `db`: where it is added, if not in a transaction of its own. */
export async function addWaitingDyno(
  pool: Pool,
  own: AnApp,
  { ordinal, at, db = pool }: { ordinal: number; at: Date; db?: Queryable },
): Promise<DynoId> {
  const id = newId<'dyno'>()
  const { rows } = await pool.query<NewDyno>(
    `select $1::uuid as id, apps.id as app, $3::uuid as formation, current_release as release,
            'us' as region, 'web' as type, $4::integer as ordinal, 'Standard-1X' as size,
            'x' as command, 5000 as port, 0 as crashes, $5::timestamptz as "createdAt"
       from apps where apps.id = $2`,
    [id, own.app.id, await own.formation('web'), ordinal, at],
  )
  await addDynos(db, rows)
  return id
}
