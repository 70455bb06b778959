import type { AppEvent, EventKind } from '../model/event.ts'
import type { Release } from '../model/release.ts'
import { serializeRelease } from '../model/serialize-release.ts'
import { type Happening, PLATFORM } from '../model/webhook.ts'
import { findApp } from './apps.ts'
import { publish } from './publish.ts'
import type { Queryable } from './queryable.ts'
import { findRelease } from './releases.ts'

/** What was otherwise before; undefined: it was not there. */
const before: Partial<Record<EventKind, (release: Release) => object | undefined>> = {
  'release.created': () => undefined,
  'release.succeeded': ({ hasReleasePhase }) => ({
    current: false,
    ...(hasReleasePhase && { status: 'pending' }),
  }),
  'release.failed': () => ({ status: 'pending' }),
  'release.rolled-back': () => ({ status: 'succeeded' }),
}

/** Tells webhooks of what became of releases, as their rows say it now. */
export async function publishReleases(
  tx: Queryable,
  events: readonly AppEvent[],
): Promise<void> {
  for (const { app: id, at, kind, release: releaseId } of events) {
    const previous = before[kind]
    if (!previous || !releaseId) continue
    const release = await findRelease(tx, id, releaseId)
    const app = await findApp(tx, id)
    if (!release || !app) continue
    const previousData = previous(release)
    const happening: Happening = {
      app: id,
      at,
      include: 'api:release',
      action: previousData ? 'update' : 'create',
      actor: release.automatic ? PLATFORM : release.account,
      data: serializeRelease(release, app),
      ...(previousData && { previousData }),
    }
    await publish(tx, [happening])
  }
}
