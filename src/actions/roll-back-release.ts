import type { SecretBox } from '../lib/secret-box.ts'
import { appEvent } from '../model/event.ts'
import type { AppId, ReleaseId } from '../model/ids.ts'
import type { Limits } from '../model/limits.ts'
import { lockApp } from '../store/apps.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { configVarsOf } from '../store/releases.ts'
import { lastReady, recordFailure } from '../store/trials.ts'
import { createRelease } from './create-release.ts'

export interface FailedTrial {
  readonly app: AppId
  readonly release: ReleaseId
  /** In a sentence. */
  readonly failure: string
  readonly now: Date
}

/**
 * The release has failed; a new one has the code and the config vars of the last that had a
 * web dyno ready. Nothing happens where another release has become the current one, or the app
 * was destroyed meanwhile.
 */
export async function rollBackRelease(
  tx: Queryable,
  { app, release, failure, now }: FailedTrial,
  { secrets, limits }: { readonly secrets: SecretBox; readonly limits: Limits },
): Promise<void> {
  if (!(await lockApp(tx, app))) return
  const failed = await recordFailure(tx, app, release, failure)
  const earlier = failed && (await lastReady(tx, failed))
  if (!earlier) return

  const message = `Release v${failed.version} failed: ${failure}. Rolling back to v${earlier.version}.`
  await writeLogLines(tx, [{ app, source: 'app', ps: 'api', message }])
  const about = { app, at: now, release: failed.id, cause: 'never ready' }
  await writeEvents(tx, [appEvent({ ...about, kind: 'release.rolled-back', message })])
  await createRelease(
    tx,
    {
      app,
      account: failed.account,
      description: `Automatic rollback from v${failed.version} to v${earlier.version}`,
      slug: earlier.slug,
      configVars: await configVarsOf(tx, earlier, secrets),
      automatic: true,
      limits,
    },
    secrets,
  )
}
