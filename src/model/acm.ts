/** Automated Certificate Management: certificates of domains that come by themselves. */

import { DAY, HOUR, MINUTE } from '../lib/clock.ts'

/** As `heroku certs:auto` tells it, and waits for it. */
export type AcmStatus = 'pending' | 'verified' | 'cert issued' | 'failing' | 'failed'

/** After the first failure, the second, …: an authority takes few in an hour. */
const RETRIES = [MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR]
const RETRY_AT_LAST = DAY
/** From which failure on it is told as `failed`, not as `failing`. */
export const FAILED_FROM = RETRIES.length
/** How soon after a failure somebody may have it tried again: Let's Encrypt takes five such in an hour. */
export const SOONEST_RETRY = 15 * MINUTE

/** How long to leave it alone after the nth failure, in milliseconds. */
export function retryAfter(failures: number): number {
  return RETRIES[failures - 1] ?? RETRY_AT_LAST
}
