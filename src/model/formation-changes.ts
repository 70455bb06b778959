import type { AppFormation } from './app-formation.ts'

export interface FormationChange {
  readonly formation: AppFormation
  /** `destroy`: its process type has left the Procfile. */
  readonly action: 'update' | 'destroy'
  /** What was otherwise before; of a new one nothing was. */
  readonly previous: Partial<Pick<AppFormation, 'quantity' | 'size' | 'command'>>
}

/** What became of an app's formations, those without a command included. */
export function formationChanges(
  before: readonly AppFormation[],
  after: readonly AppFormation[],
): FormationChange[] {
  return after.flatMap((formation): FormationChange[] => {
    const { id, quantity, size, command } = formation
    const old = before.find((it) => it.id === id)
    const wasThere = old !== undefined && old.command !== null
    if (!wasThere)
      return command === null ? [] : [{ formation, action: 'update', previous: {} }]
    const previous = {
      ...(old.quantity !== quantity && { quantity: old.quantity }),
      ...(old.size !== size && { size: old.size }),
      ...(old.command !== command && { command: old.command }),
    }
    if (Object.keys(previous).length === 0) return []
    return [{ formation, action: command === null ? 'destroy' : 'update', previous }]
  })
}
