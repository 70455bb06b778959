/**
 * How much of an app's history is kept. Heroku keeps all releases; here they lie in one database, on the disk
 * of the machine, and a program makes thousands in an hour.
 */

import { MiB } from '../lib/bytes.ts'
import { DAY } from '../lib/clock.ts'

export const KEPT_HISTORY = {
  /** Newest first; beside these, what is still referred to. */
  releases: 500,
  builds: 500,
  events: 50_000,
  /** With their deliveries. */
  webhookEvents: 20_000,
  /** Of those that printed anything: of builds, and as many of releases. */
  outputs: 50,
  /** Bytes of an app's, of either. */
  outputBytes: 64 * MiB,
  outputsFor: 30 * DAY,
} as const

export type KeptHistory = Readonly<Record<keyof typeof KEPT_HISTORY, number>>
