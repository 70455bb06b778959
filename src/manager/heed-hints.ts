/**
 * The runtime's hints, that something happened to a dyno, become wakes of whoever looks
 * after it: its formation, or the build of that id.
 */

import type { Pool } from 'pg'

import type { Log } from '../lib/log.ts'
import type { DynoId } from '../model/ids.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { keeperOf } from '../store/dynos.ts'
import { wake } from '../store/work.ts'

export function heedHints(
  runtime: Runtime,
  { pool, region, log }: { pool: Pool; region: string; log: Log },
  signal: AbortSignal,
): void {
  runtime.watch((id) => {
    wakeFor(id).catch((error: unknown) =>
      log.error('a hint was lost', error, { dyno: id }),
    )
  }, signal)

  async function wakeFor(id: DynoId): Promise<void> {
    const keeper = await keeperOf(pool, id)
    if (keeper) await wake(pool, { ...keeper, region })
  }
}
