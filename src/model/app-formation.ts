import type { AppId, FormationId } from './ids.ts'

/** A formation as its owner sees it: how many dynos of a process type, of which size. */
export interface AppFormation {
  readonly id: FormationId
  readonly app: AppId
  readonly type: string
  readonly quantity: number
  readonly size: string
  /** Null once the process type has left the Procfile. */
  readonly command: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** `web@1:Standard-1X worker@0:Standard-1X`: as the app's log puts it. */
export function describeScale(
  formations: readonly Pick<AppFormation, 'type' | 'quantity' | 'size'>[],
): string {
  return formations
    .toSorted((a, b) => a.type.localeCompare(b.type))
    .map(({ type, quantity, size }) => `${type}@${quantity}:${size}`)
    .join(' ')
}
