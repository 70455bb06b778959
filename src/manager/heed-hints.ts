/**
 * The runtime's hints, that something happened to a dyno, become wakes of whoever looks
 * after it: its formation, itself, or the build of that id. While one is being passed on
 * others may come: those go together, for a thousand dynos may boot at once.
 */

import type { Pool } from 'pg'

import type { Log } from '../lib/log.ts'
import type { DynoId } from '../model/ids.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { keepersOf } from '../store/dynos.ts'
import { wakeAll } from '../store/work.ts'

export function heedHints(
  runtime: Runtime,
  { pool, region, log }: { pool: Pool; region: string; log: Log },
  signal: AbortSignal,
): void {
  let heard = new Set<DynoId>()
  let passingOn = false
  runtime.watch((id) => {
    heard.add(id)
    if (!passingOn) void passOn()
  }, signal)

  async function passOn(): Promise<void> {
    passingOn = true
    while (heard.size > 0) {
      const dynos = [...heard]
      heard = new Set()
      try {
        const keepers = await keepersOf(pool, dynos)
        await wakeAll(
          pool,
          keepers.map((keeper) => ({ ...keeper, region })),
        )
      } catch (error) {
        log.error('hints were lost', error, { dynos })
      }
    }
    passingOn = false
  }
}
