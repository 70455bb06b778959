/** The dynos of an app as its owner sees and restarts them. */

import type { DynoState, StopReason } from '../model/dyno.ts'
import {
  type AppId,
  type DynoId,
  type FormationId,
  isUuid,
  type ReleaseId,
} from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface AppDyno {
  readonly id: DynoId
  readonly type: string
  readonly ordinal: number
  readonly size: string
  readonly command: string
  readonly state: DynoState
  readonly stopReason: StopReason | null
  readonly release: { readonly id: ReleaseId; readonly version: number }
  readonly region: string
  /** Null while it holds none: it waits for room, or nothing of it is there any more. */
  readonly address: string | null
  readonly port: number
  readonly routed: boolean
  /** Crashes in a row of this place. */
  readonly crashes: number
  readonly exitStatus: number | null
  readonly isOneOff: boolean
  /** When its process ended. */
  readonly exitedAt: Date | null
  /** When a crashed one is started again. */
  readonly nextAttemptAt: Date | null
  /** Why a starting one is not placed yet: 'capacity'. */
  readonly waitingFor: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** The current dyno of each place: not those that are leaving while a successor boots. */
export async function dynosOf(db: Queryable, app: AppId): Promise<AppDyno[]> {
  const { rows } = await db.query(
    `select d.id, d.type, d.ordinal, d.size, d.command, d.state,
            d.stop_reason as "stopReason", d.region, host(d.address) as address, d.port,
            d.routed, d.crashes, d.exit_status as "exitStatus",
            d.formation is null as "isOneOff",
            d.exited_at as "exitedAt",
            d.next_attempt_at as "nextAttemptAt", d.waiting_for as "waitingFor",
            d.created_at as "createdAt",
            d.updated_at as "updatedAt",
            json_build_object('id', r.id, 'version', r.version) as release
       from dynos d join releases r on r.id = d.release
      where d.app = $1 and d.state <> 'down' and not d.leaving
      order by d.type, d.ordinal`,
    [app],
  )
  return rows as AppDyno[]
}

export type WhichDynos =
  | { readonly all: true }
  | { readonly type: string }
  /** By id, or by place: `web.1`. */
  | { readonly dyno: string }

/** `all dynos`, `web dynos`, `web.1`. */
export function describeDynos(which: WhichDynos): string {
  if ('all' in which) return 'all dynos'
  return 'type' in which ? `${which.type} dynos` : which.dyno
}

/** Who must hear of a wish. */
export interface Meant {
  readonly formations: readonly FormationId[]
  readonly oneOffs: readonly DynoId[]
}

/**
 * Notes the wish on each of the app's current dynos meant. To stop a dyno is, for those of
 * formations, to have it start anew at once; one-offs can only be stopped. A wish by hand counts, where one was marked for its memory.
 */
export async function requestRestart(
  tx: Queryable,
  app: AppId,
  which: WhichDynos,
  because: 'stop' | null = null,
): Promise<Meant> {
  const { condition, value } = meant(which)
  const { rows } = await tx.query(
    `update dynos
        set restart_requested_at = coalesce(restart_requested_at, now()),
            restart_because = coalesce($3::text, nullif(restart_because, 'memory'))
      where app = $1 and state <> 'down' and not leaving and ${condition} = $2
        and ($3::text is not null or formation is not null)
     returning id, formation`,
    [app, value, because],
  )
  const found = rows as { id: DynoId; formation: FormationId | null }[]
  return {
    formations: [...new Set(found.flatMap((row) => row.formation ?? []))],
    oneOffs: found.filter((row) => row.formation === null).map((row) => row.id),
  }
}

function meant(which: WhichDynos): { condition: string; value: string } {
  if ('all' in which) return { condition: `'all'`, value: 'all' }
  if ('type' in which) return { condition: 'type', value: which.type }
  if (isUuid(which.dyno)) return { condition: 'id', value: which.dyno }
  return { condition: `type || '.' || ordinal`, value: which.dyno }
}
