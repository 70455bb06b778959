import type { StopReason } from '../model/dyno.ts'
import type { Facts } from './facts.ts'

/**
 * Replacing takes at most a quarter of a formation, rounded up, at a time: places where a
 * dyno is leaving, starting or stopping count. So a release that does not boot costs no
 * more than its first batch. With preboot no dyno of a release serves before all do.
 */
export class ReplacementBudget {
  readonly #releasesAtOnce: boolean
  #left: number

  constructor({ formation, policy, dynos }: Facts) {
    const moving = dynos.filter(
      ({ ordinal, leaving, state, waitingFor }) =>
        // Of places that were scaled away nobody is replaced.
        ordinal <= formation.quantity &&
        (leaving ||
          state === 'stopping' ||
          // One that the machine has no room for must not keep the others from a release.
          (state === 'starting' && waitingFor === null)),
    )
    const places = new Set(moving.map((it) => it.ordinal))
    this.#left = Math.ceil(formation.quantity / 4) - places.size
    this.#releasesAtOnce = policy.preboot !== undefined && formation.type === 'web'
  }

  spend(because: StopReason): boolean {
    if (because === 'release' && this.#releasesAtOnce) return true
    return this.#left-- > 0
  }
}
