import type { AppId, DynoId, ReleaseId } from './ids.ts'

/** What happened to an app, and why: for `GET /apps/{app}/events`, kept 30 days. */
export interface AppEvent {
  readonly app: AppId
  readonly at: Date
  readonly kind: EventKind
  readonly dyno: DynoId | null
  /** `web.1`; of a formation's event its process type: `web`. */
  readonly ps: string | null
  readonly release: ReleaseId | null
  /** The one true cause, in a word or two: `cycling`, `crash`, `boot timeout`. */
  readonly cause: string | null
  /** A sentence for people. */
  readonly message: string
}

/** Every kind there is. `docs/api/events.md` lists the same; a test compares. */
export const EVENT_KINDS = [
  // The states of a dyno, as its row has them.
  'dyno.starting',
  'dyno.up',
  'dyno.stopping',
  'dyno.crashed',
  'dyno.idle',
  'dyno.down',
  // What befell it on the way.
  'dyno.waiting',
  'dyno.restarting',
  'dyno.exited',
  'dyno.boot-timeout',
  'dyno.exit-timeout',
  'dyno.over-quota',
  'dyno.unhealthy',
  'release.created',
  'release.succeeded',
  'release.failed',
  'release.rolled-back',
  // What somebody asked for; the message says who.
  'formation.scaled',
  'restart.requested',
  'feature.changed',
  'app.created',
  'app.changed',
  'app.destroyed',
  'app.transferred',
  'access.changed',
] as const

export type EventKind = (typeof EVENT_KINDS)[number]

/** An event of the app as a whole: what is left out is null. */
export function appEvent(
  it: Pick<AppEvent, 'app' | 'at' | 'kind' | 'message'> & Partial<AppEvent>,
): AppEvent {
  return { dyno: null, ps: null, release: null, cause: null, ...it }
}
