import type { Formation as ApiFormation } from '@heroku-cli/schema'

import type { AppFormation } from './app-formation.ts'
import type { App } from './app.ts'
import { idOfSize } from './size.ts'

/** As the Platform API answers it, and webhooks tell of it. */
export function serializeFormation(
  it: AppFormation,
  app: Pick<App, 'id' | 'name'>,
): ApiFormation {
  return {
    app: { id: app.id, name: app.name },
    command: it.command ?? '',
    created_at: it.createdAt.toISOString(),
    dyno_size: { id: idOfSize(it.size), name: it.size },
    id: it.id,
    quantity: it.quantity,
    size: it.size,
    type: it.type,
    updated_at: it.updatedAt.toISOString(),
  }
}
