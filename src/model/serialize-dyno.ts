import type { Dyno as ApiDyno } from '@heroku-cli/schema'

import type { App } from './app.ts'
import { type Dyno, type DynoState, placeOf } from './dyno.ts'
import type { ReleaseId } from './ids.ts'

/** As much of a dyno as is shown of it. */
export interface ShownDyno extends Pick<
  Dyno,
  'id' | 'type' | 'ordinal' | 'size' | 'command' | 'createdAt' | 'updatedAt'
> {
  readonly release: { readonly id: ReleaseId; readonly version: number }
}

/** As the Platform API answers it, and webhooks tell of it. */
export function serializeDyno(
  it: ShownDyno,
  state: DynoState,
  app: Pick<App, 'id' | 'name'>,
): ApiDyno {
  return {
    app: { id: app.id, name: app.name },
    attach_url: null,
    command: it.command,
    created_at: it.createdAt.toISOString(),
    id: it.id,
    name: placeOf(it),
    release: it.release,
    size: it.size,
    state,
    type: it.type,
    updated_at: it.updatedAt.toISOString(),
  }
}
