/**
 * Daily cycling: every dyno is replaced about once a day, so that no app comes
 * to lean on a long-lived machine. The moment is computed from the dyno alone.
 * Nothing is scheduled, stored, or lost when the manager restarts, and the
 * spread keeps a fleet that booted together from cycling together.
 */

import { createHash } from 'node:crypto'

import { HOUR, later, MINUTE } from '../lib/clock.ts'
import type { DynoId } from './ids.ts'

const AFTER = 24 * HOUR
const SPREAD = 216 * MINUTE

/** When a dyno whose process began at `startedAt` has lived its day. */
export function cyclesAt(dyno: { readonly id: DynoId; readonly startedAt: Date }): Date {
  return later(dyno.startedAt, AFTER + SPREAD * fractionOf(dyno.id))
}

/** Maps an id evenly onto [0, 1), the same way every time. */
export function fractionOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32
}
