import type { Pool } from 'pg'

import { pause, SECOND } from '../lib/clock.ts'
import type { App } from '../model/app.ts'
import type { ReleaseId } from '../model/ids.ts'
import type { Release } from '../model/release.ts'
import { followOutput } from '../store/follow-output.ts'
import { findRelease } from '../store/releases.ts'

interface Deps {
  readonly pool: Pool
  readonly app: App
  readonly print: (text: string) => void
}

/** Shows a release's command at work, if it has one, to its end. Whether the release stands. */
export async function releaseStands(release: ReleaseId, deps: Deps): Promise<boolean> {
  const { pool, print } = deps
  const begun = await patientlyFind(release, deps)
  if (!begun?.hasReleasePhase) return begun?.status === 'succeeded'
  print('Running release command...\n\n')
  for await (const text of followOutput(pool, { release })) print(text)
  const ended = await patientlyFind(release, deps)
  if (ended?.status === 'succeeded') {
    print('\nWaiting for release.... done.\n')
    return true
  }
  print('\nWaiting for release.... failed.\n')
  print(` !     ${ended?.failure ?? 'A newer release has taken over.'}\n`)
  return false
}

/** While the database can't be asked it waits; undefined: the app is gone. */
async function patientlyFind(
  id: ReleaseId,
  { pool, app }: Deps,
): Promise<Release | undefined> {
  for (;;) {
    try {
      return await findRelease(pool, app.id, id)
    } catch {
      await pause(SECOND)
    }
  }
}
