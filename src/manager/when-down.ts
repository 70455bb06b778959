import { type Clock, later } from '../lib/clock.ts'
import { liesAhead } from '../model/noted-times.ts'
import type { Database } from '../store/queryable.ts'
import { noteStartsAnew } from '../store/noted-times.ts'

interface Deps {
  readonly pool: Database
  readonly region: string
  /** The machine's, by which `down` noted its time. */
  readonly clock: Clock
  /** Milliseconds that the manager's own clock is ahead of it. */
  readonly ahead: () => number
  readonly noted: Date | undefined
  readonly noteAnew: (now: Date) => void
}

/**
 * When `mayfly down` last ended all that ran here. Where the clock has been set back since, that lies
 * ahead, and what is started from now on would count as ended by it: so it is noted as now. What it
 * ended is before that: those starts that lie ahead, too, are noted as now first, or a manager that
 * dies in between would take those dynos for lost.
 */
export async function whenDown(deps: Deps): Promise<Date | undefined> {
  const { pool, region, clock, ahead, noted, noteAnew } = deps
  const now = clock.now()
  if (!noted || !liesAhead(now, [noted])) return noted
  await noteStartsAnew(pool, region, { ofDynos: later(now, ahead()), ofBuilds: now })
  noteAnew(now)
  return now
}
