import type { AppFormation } from './app-formation.ts'
import { sizeNamed } from './size.ts'

/** How a formation is to change; what is undefined stays as it is. */
export interface ScaleWish {
  /** Process type, or the formation's id. */
  readonly type: string
  /** `3`, or relative: `+1`, `-2`. */
  readonly quantity?: number | string | undefined
  /** In any case: `standard-1x`. */
  readonly size?: string | undefined
}

const MOST_DYNOS_OF_APP = 100
/** Of one process type, by size. */
const MOST_DYNOS_OF_TYPE: Readonly<Record<string, number>> = {
  Eco: 1,
  Basic: 1,
  'Performance-M': 10,
  'Performance-L': 10,
}

/** The formation as wished, or what is wrong with the wish, in a sentence. */
export function scaled(formation: AppFormation, wish: ScaleWish): AppFormation | string {
  const size = wish.size === undefined ? formation.size : sizeNamed(wish.size)?.name
  if (!size) return `Couldn't find that dyno size (${wish.size}).`
  const quantity = scaledQuantity(formation.quantity, wish.quantity)
  if (quantity === undefined) {
    return `${wish.quantity} is no quantity of ${formation.type} dynos.`
  }
  return { ...formation, quantity, size }
}

function scaledQuantity(
  present: number,
  wish: number | string | undefined,
): number | undefined {
  if (wish === undefined) return present
  const text = String(wish)
  if (!/^[+-]?\d{1,6}$/.test(text)) return undefined
  const relative = typeof wish === 'string' && /^[+-]/.test(text)
  const quantity = Number(text) + (relative ? present : 0)
  return quantity < 0 ? undefined : quantity
}

/** What is wrong with all formations of an app taken together; undefined if nothing is. */
export function faultOfFormations(all: readonly AppFormation[]): string | undefined {
  for (const { type, quantity, size } of all) {
    const most = MOST_DYNOS_OF_TYPE[size] ?? MOST_DYNOS_OF_APP
    if (quantity > most) {
      return `Cannot update to more than ${most} ${size} size dynos per process type (${type}).`
    }
  }
  const dynos = all.reduce((sum, it) => sum + it.quantity, 0)
  if (dynos <= MOST_DYNOS_OF_APP) return undefined
  return `An app may have at most ${MOST_DYNOS_OF_APP} dynos; this would make ${dynos}.`
}
