/**
 * How many looks at webhooks one tenant has at once: who is told may take half a minute to answer, or
 * never do, and all together there are so many looks and no more. What finds its tenant's taken comes again
 * a little later, the next one a little after that, so that however many wait, few come in a second.
 */

import { SECOND } from '../lib/clock.ts'
import { places } from '../lib/places.ts'
import type { Timer } from '../lib/timer.ts'

/**
 * Of all tenants together. Looks at webhooks mostly wait for others' answers, and one who never answers must
 * not hold up the rest.
 */
export const LOOKS_AT_ONCE = 128
const OF_EACH = LOOKS_AT_ONCE / 8
/** By then one of those that are under way has ended for sure. */
const LONGEST_WAIT = 30 * SECOND

export interface TenantPlaces {
  /** Returns what to call, once, at its end; or in how many milliseconds to come again. */
  take(tenant: string): (() => void) | number
}

export function tenantPlaces(timer: Pick<Timer, 'now'>): TenantPlaces {
  const taken = places({ ofEach: OF_EACH, ofAll: Infinity })
  /** When the last of a tenant's comes again. */
  const last = new Map<string, number>()
  return {
    take(tenant) {
      const leave = taken.take(tenant)
      if (typeof leave !== 'string') return leave
      const now = timer.now()
      const after = Math.max(now + SECOND, last.get(tenant) ?? 0) + SECOND / OF_EACH
      const at = Math.min(after, now + LONGEST_WAIT)
      last.set(tenant, at)
      return at - now
    },
  }
}
