/**
 * What a sample of a dyno's memory means. Heroku counts rss, swap and cache; here only that
 * part of the cache counts that the kernel can't take back (tmpfs, shared memory). The rest
 * grows to the hard limit in any dyno that reads or writes files, and costs it nothing: an
 * R14 for that would cry wolf.
 */

import { later, MINUTE } from '../lib/clock.ts'
import type { Size } from './size.ts'

export interface Sample {
  readonly rss: number
  readonly shared: number
  readonly swap: number
  readonly outOfMemory: boolean
}

export interface Watched {
  readonly state: 'starting' | 'up'
  readonly startedAt: Date
  /** A one-off is never restarted. */
  readonly isOneOff: boolean
  /** Of the quota; undefined: the app does not want it. */
  readonly restartAbove: number | undefined
}

export interface Verdict {
  /** Bytes that count. */
  readonly used: number
  /** R14, with each sample. */
  readonly overQuota: boolean
  readonly restart: boolean
  /** R15: the kernel has killed a part of the dyno, so the rest of it goes too. */
  readonly kill: boolean
}

/** So often at most a place is restarted for its memory: an app that needs more than it may have still serves. */
const LIVES_AT_LEAST = 10 * MINUTE

export function verdictOn(
  sample: Sample,
  dyno: Watched,
  { size, now }: { readonly size: Size; readonly now: Date },
): Verdict {
  const used = sample.rss + sample.shared + sample.swap
  const { restartAbove = Infinity } = dyno
  return {
    used,
    // Sizes with a machine of their own have no swap to get into: they have R15 only.
    overQuota: !size.dedicated && used > size.memory,
    restart:
      used > restartAbove * size.memory &&
      dyno.state === 'up' &&
      !dyno.isOneOff &&
      now >= later(dyno.startedAt, LIVES_AT_LEAST),
    kill: sample.outOfMemory,
  }
}
