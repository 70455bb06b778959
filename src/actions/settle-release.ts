import type { ReleaseId } from '../model/ids.ts'
import { appEvent } from '../model/event.ts'
import { byWhom } from '../model/release.ts'
import { wakeFormations } from '../store/app-formations.ts'
import { findApp, lockApp } from '../store/apps.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { appOfRelease, endPending } from '../store/releases.ts'
import { makeCurrent } from './make-current.ts'

export interface EndOfReleasePhase {
  readonly release: ReleaseId
  /** In a sentence; undefined: its command succeeded. */
  readonly failure: string | undefined
}

/**
 * What a release's command has decided: it is the current one, or it has failed and the one
 * before goes on. Nothing happens to one that is not pending any more.
 */
export async function settleRelease(
  tx: Queryable,
  { release: id, failure }: EndOfReleasePhase,
): Promise<void> {
  const owner = await appOfRelease(tx, id)
  const app = owner && (await lockApp(tx, owner)) ? await findApp(tx, owner) : undefined
  const status = app && failure === undefined ? 'succeeded' : 'failed'
  const release = await endPending(tx, id, { status, failure: failure ?? null })
  if (!release || !app) return
  if (status === 'succeeded') return makeCurrent(tx, app, release)

  const { version, updatedAt: at } = release
  const message = `Release v${version} command failed ${byWhom(release)}`
  await writeLogLines(tx, [{ app: app.id, source: 'app', ps: 'api', message }])
  const why = {
    cause: 'release command',
    message: `Release v${version} failed: ${failure}`,
  }
  const event = { app: app.id, at, release: id, kind: 'release.failed', ...why } as const
  await writeEvents(tx, [appEvent(event)])
  // The release that goes on may have waited for this one, to be taken back itself.
  await wakeFormations(tx, app)
}
