import type { AppFormation } from '../model/app-formation.ts'
import type { App } from '../model/app.ts'
import { appEvent } from '../model/event.ts'
import { formationChanges, type FormationChange } from '../model/formation-changes.ts'
import { describeScaler, type Scaler } from '../model/scaling.ts'
import { serializeFormation } from '../model/serialize-formation.ts'
import { everyFormationOf } from '../store/app-formations.ts'
import { writeEvents } from '../store/events.ts'
import { publish } from '../store/publish.ts'
import type { Queryable } from '../store/queryable.ts'

export interface Scaling {
  readonly app: Pick<App, 'id' | 'name'>
  readonly scaler: Scaler
  /** All formations of the app as they were. */
  readonly before: readonly AppFormation[]
}

/** Events and webhooks of the formations that are not as they were. */
export async function tellScaling(
  tx: Queryable,
  { app, scaler, before }: Scaling,
): Promise<void> {
  const changes = formationChanges(before, await everyFormationOf(tx, app.id))
  await writeEvents(
    tx,
    changes.filter(isScaling).map(({ formation: { type, quantity, size, updatedAt } }) =>
      appEvent({
        app: app.id,
        at: updatedAt,
        kind: 'formation.scaled',
        ps: type,
        message: `Scaled to ${type}@${quantity}:${size} by ${describeScaler(scaler)}`,
        cause: scaler.cause ?? null,
      }),
    ),
  )
  await publish(
    tx,
    changes.map(({ formation, action, previous }) => ({
      app: app.id,
      at: formation.updatedAt,
      include: 'api:formation',
      action,
      actor: { id: scaler.id, email: scaler.email },
      data: serializeFormation(formation, app),
      previousData: previous,
    })),
  )
}

function isScaling({ formation, previous }: FormationChange): boolean {
  if ('quantity' in previous || 'size' in previous) return true
  return Object.keys(previous).length === 0 && formation.quantity > 0
}
