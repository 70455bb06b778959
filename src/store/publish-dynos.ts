import type { App } from '../model/app.ts'
import type { DynoState } from '../model/dyno.ts'
import type { AppEvent, EventKind } from '../model/event.ts'
import type { DynoId } from '../model/ids.ts'
import { serializeDyno, type ShownDyno } from '../model/serialize-dyno.ts'
import { type Happening, PLATFORM } from '../model/webhook.ts'
import { publish } from './publish.ts'
import type { Queryable } from './queryable.ts'

/** The events that are a state for clients to see: they know no `stopping`. */
const states: Partial<Record<EventKind, DynoState>> = {
  'dyno.starting': 'starting',
  'dyno.up': 'up',
  'dyno.crashed': 'crashed',
  'dyno.idle': 'idle',
  'dyno.down': 'down',
}

/** Tells webhooks of what became of dynos. Their rows are there, and say the same. */
export async function publishDynos(
  tx: Queryable,
  events: readonly AppEvent[],
): Promise<void> {
  const told = events.filter((it) => it.dyno && states[it.kind])
  if (told.length === 0) return
  const dynos = await shownDynos(
    tx,
    told.flatMap((it) => it.dyno ?? []),
  )
  await publish(
    tx,
    told.flatMap((event) => {
      const dyno = event.dyno && dynos.get(event.dyno)
      const state = states[event.kind]
      return dyno && state ? happeningsOf(event, state, dyno) : []
    }),
  )
}

function happeningsOf(
  { app, at }: AppEvent,
  state: DynoState,
  dyno: PublishedDyno,
): Happening[] {
  const data = {
    ...serializeDyno(dyno, state, dyno.shownApp),
    exit_status: dyno.exitStatus,
  }
  const common = { app, at, actor: PLATFORM, data }
  switch (state) {
    case 'starting':
      return [
        { ...common, include: 'api:dyno', action: 'create' },
        { ...common, include: 'dyno', action: 'create' },
      ]
    case 'down':
      return [{ ...common, include: 'dyno', action: 'destroy' }]
    case 'up':
    case 'crashed':
    case 'idle':
    case 'stopping':
      return [{ ...common, include: 'dyno', action: 'update' }]
  }
}

interface PublishedDyno extends ShownDyno {
  readonly shownApp: Pick<App, 'id' | 'name'>
  readonly exitStatus: number | null
}

async function shownDynos(
  db: Queryable,
  ids: readonly DynoId[],
): Promise<ReadonlyMap<DynoId, PublishedDyno>> {
  const { rows } = await db.query(
    `select d.id, d.type, d.ordinal, d.size, d.command, d.exit_status as "exitStatus",
            d.created_at as "createdAt", d.updated_at as "updatedAt",
            json_build_object('id', r.id, 'version', r.version) as release,
            json_build_object('id', a.id, 'name', a.name) as "shownApp"
       from dynos d join releases r on r.id = d.release join apps a on a.id = d.app
      where d.id = any($1::uuid[])`,
    [ids],
  )
  return new Map((rows as PublishedDyno[]).map((dyno) => [dyno.id, dyno]))
}
