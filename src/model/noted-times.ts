/**
 * A clock may be set back: then what it was noted by lies ahead of it, and what is to follow after
 * some time would follow later by as much. So a noted time that lies ahead counts as just now,
 * and is noted anew: else it would be just now at each look, and nothing ever follow.
 */

import { later, SECOND } from '../lib/clock.ts'

/** More than the clocks differ by of those who note times: the manager's machine, and the database's. */
const APART = SECOND

export function liesAhead(now: Date, times: readonly (Date | null)[]): boolean {
  const latest = later(now, APART)
  return times.some((it) => it !== null && it > latest)
}
