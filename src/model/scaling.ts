import type { AppFormation } from './app-formation.ts'
import type { Account } from './app.ts'
import { RELEASE_TYPE } from './one-off.ts'
import { sizeNamed } from './size.ts'

/** Who scales, for log lines, events and webhooks. */
export interface Scaler extends Account {
  /** In place of `user dev@example.com`. */
  readonly describedAs?: string
  readonly cause?: string
}

export function describeScaler({ email, describedAs = `user ${email}` }: Scaler): string {
  return describedAs
}

/** How a formation is to change; what is undefined stays as it is. */
export interface ScaleWish {
  /** Process type, or the formation's id. */
  readonly type: string
  /** `3`, or relative: `+1`, `-2`. */
  readonly quantity?: number | string | undefined
  /** In any case: `standard-1x`. */
  readonly size?: string | undefined
}

/** The formation as wished, or what is wrong with the wish, in a sentence. */
export function scaled(formation: AppFormation, wish: ScaleWish): AppFormation | string {
  const size = wish.size === undefined ? formation.size : sizeNamed(wish.size)?.name
  if (!size) return `Couldn't find that dyno size (${wish.size}).`
  const quantity = scaledQuantity(formation.quantity, wish.quantity)
  if (quantity === undefined) {
    return `${wish.quantity} is no quantity of ${formation.type} dynos.`
  }
  if (formation.type === RELEASE_TYPE && quantity > 0) {
    return 'The release process type cannot be scaled: it runs for each new release.'
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
