/**
 * One-off dynos (Heroku's article "One-Off Dynos"): a command of somebody's own, run once beside the
 * app's formation. Never routed, never restarted.
 */

import { randomInt } from 'node:crypto'

import type { Dyno } from './dyno.ts'
import type { ReleaseId } from './ids.ts'
import type { ProcessTypes } from './procfile.ts'
import { DEFAULT_SIZE, SINGLE_TIERS } from './size.ts'

export interface OneOff extends Dyno {
  /** It has a client, or waits for one. */
  readonly attached: boolean
  /** Null: pipes, or nobody to talk to. */
  readonly terminal: { readonly columns: number; readonly rows: number } | null
  /** Milliseconds from its start. */
  readonly timeToLive: number | null
  readonly attachedAt: Date | null
  readonly detachedAt: Date | null
  /** SIGHUPs sent since its client went, and when the last one was. */
  readonly hangUps: number
  readonly hungUpAt: Date | null
  /** When it was said that it goes on all the same: R16. */
  readonly unresponsiveAt: Date | null
  /** The release whose command it runs. */
  readonly releasePhase: ReleaseId | null
}

/** What a release's command that has not begun finds of those of the app's other releases. */
export interface OtherCommands {
  /** One has not ended. */
  readonly run: boolean
  /** When the last one did; null: none has since this one waits. */
  readonly endedAt: Date | null
}

/** The process type whose command every new release runs before it is the current one. */
export const RELEASE_TYPE = 'release'

/** Seconds: a day. */
export const LONGEST_TIME_TO_LIVE = 86_400

const MOST_ORDINALS = 9_999

/** The `1234` of `run.1234`: any that is not taken. */
export function freeOrdinal(taken: readonly number[]): number {
  const used = new Set(taken)
  for (;;) {
    const ordinal = randomInt(1, MOST_ORDINALS + 1)
    if (!used.has(ordinal) || used.size >= MOST_ORDINALS) return ordinal
  }
}

/** A command whose first word is a process type is that process type's, with the rest behind it. */
export function spelledOut(command: string, processTypes: ProcessTypes): string {
  const [, first = '', rest = ''] = /^\s*(\S+)([^]*)$/.exec(command) ?? []
  return Object.hasOwn(processTypes, first) ? `${processTypes[first]}${rest}` : command
}

/** An app's one-offs are of its own tier, and small unless asked for otherwise. */
export function sizeOfOneOff(formations: readonly { readonly size: string }[]): string {
  return formations.find((it) => SINGLE_TIERS.includes(it.size))?.size ?? DEFAULT_SIZE
}
