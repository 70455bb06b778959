/** The row of a dyno whose process began, as the manager would have written it. */

import type { Pool } from 'pg'

import { type DynoId, newId } from '../src/model/ids.ts'
import type { AnApp } from './an-app.ts'

let made = 0

export async function aRunningDyno(
  pool: Pool,
  { app, formation }: Pick<AnApp, 'app'> & { readonly formation: string },
  startedAt: Date,
): Promise<DynoId> {
  const id = newId<'dyno'>()
  await pool.query(
    `insert into dynos (id, app, formation, release, region, type, ordinal, size, command,
                        state, address, port, created_at, started_at, updated_at)
     select $1, apps.id, $2, current_release, 'us', 'web', $3::integer, 'Standard-1X', 'x', 'up',
            '10.0.0.0'::inet + $3::integer, 5000, $4, $4, $4
       from apps where id = $5`,
    [id, formation, ++made, startedAt, app.id],
  )
  return id
}
