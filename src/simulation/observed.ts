/** What an observer of the database sees, by a connection of its own: only what was committed. */

import type { Client } from 'pg'

import type { DynoState, StopReason } from '../model/dyno.ts'
import type { ReleaseStatus } from '../model/release.ts'
import type { AppId, DynoId, FormationId, ReleaseId } from '../model/ids.ts'

export interface SeenDyno {
  readonly id: DynoId
  readonly app: AppId
  readonly formation: FormationId | null
  readonly type: string
  readonly ordinal: number
  readonly release: ReleaseId
  readonly size: string
  readonly state: DynoState
  readonly leaving: boolean
  readonly stopReason: StopReason | null
  readonly routed: boolean
  /** Null: another may have it. */
  readonly address: string | null
  readonly restartRequestedAt: Date | null
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly exitedAt: Date | null
  readonly releaseStatus: ReleaseStatus
  readonly appIsThere: boolean
}

/** Which place of all. */
export function pathOf({ formation, ordinal }: SeenDyno): string {
  return `${formation} ${ordinal}`
}

export interface SeenFormation {
  readonly id: FormationId
  readonly app: AppId
  readonly name: string
  readonly type: string
  /** None where the app is destroyed or the type has left the Procfile. */
  readonly quantity: number
  readonly size: string
  readonly release: ReleaseId
  readonly idle: boolean
}

/** All dynos that are not down, and those of `known` that are by now. */
export async function seenDynos(
  client: Client,
  known: readonly DynoId[],
): Promise<SeenDyno[]> {
  const { rows } = await client.query<SeenDyno>(
    `select id, app, formation, type, ordinal, release, size, state, leaving,
            stop_reason as "stopReason", routed, host(address) as address,
            restart_requested_at as "restartRequestedAt", created_at as "createdAt",
            started_at as "startedAt", exited_at as "exitedAt",
            (select status from releases where id = dynos.release) as "releaseStatus",
            (select deleted_at is null from apps where id = dynos.app) as "appIsThere"
       from dynos where state <> 'down' or id = any($1) order by created_at, id`,
    [known],
  )
  return rows
}

/** Versions of releases that wait for their command. */
export async function pendingReleases(client: Client): Promise<readonly number[]> {
  const { rows } = await client.query<{ version: number }>(
    `select version from releases join apps on apps.id = releases.app
      where status = 'pending' and deleted_at is null order by version`,
  )
  return rows.map(({ version }) => version)
}

export async function seenFormations(client: Client): Promise<SeenFormation[]> {
  const { rows } = await client.query<SeenFormation>(
    `select f.id, f.app, a.name, f.type, f.size, a.current_release as release,
            a.idle_since is not null as idle,
            case when a.deleted_at is null and f.command is not null
                 then f.quantity else 0 end as quantity
       from formations f join apps a on a.id = f.app order by a.name, f.type`,
  )
  return rows
}
