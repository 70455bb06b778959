/**
 * With the feature `runtime-dyno-metadata`, what a dyno is told of its app and release
 * (Heroku's article "Dyno Metadata"): in its environment, where a config var of the same name comes before
 * it, and in the file /etc/heroku/dyno.
 */

import { enabledFeatures, type Switches } from './app-features.ts'
import { type Dyno, placeOf } from './dyno.ts'
import type { Environment } from './dyno-environment.ts'
import type { AppId, DynoId, ReleaseId } from './ids.ts'

export interface MetadataFacts {
  readonly app: { readonly id: AppId; readonly name: string; readonly domain: string }
  readonly release: {
    readonly id: ReleaseId
    readonly version: number
    readonly description: string
    readonly createdAt: Date
  }
  /** Null: what was built had no version. */
  readonly commit: string | null
}

export function wantsMetadata(switches: Switches): boolean {
  return enabledFeatures(switches).has('runtime-dyno-metadata')
}

export function dynoMetadata(dyno: DynoId, facts: MetadataFacts): Environment {
  const { app, release, commit } = facts
  return {
    HEROKU_APP_DEFAULT_DOMAIN_NAME: `${app.name}.${app.domain}`,
    HEROKU_APP_ID: app.id,
    HEROKU_APP_NAME: app.name,
    HEROKU_DYNO_ID: dyno,
    HEROKU_RELEASE_CREATED_AT: toTheSecond(release.createdAt),
    HEROKU_RELEASE_VERSION: `v${release.version}`,
    HEROKU_SLUG_COMMIT: commit ?? '',
    HEROKU_SLUG_DESCRIPTION: release.description,
  }
}

/** The text of /etc/heroku/dyno. */
export function dynoFile(
  dyno: Pick<Dyno, 'id' | 'type' | 'ordinal'>,
  { app, release, commit }: MetadataFacts,
): string {
  const { id, version, description, createdAt } = release
  return `${JSON.stringify({
    dyno: { id: dyno.id, name: placeOf(dyno) },
    app: { id: app.id, name: app.name },
    release: { id, version, commit, description, created_at: toTheSecond(createdAt) },
  })}\n`
}

function toTheSecond(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z')
}
