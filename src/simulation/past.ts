import type { AppId, FormationId } from '../model/ids.ts'
import type { SeenFormation } from './observed.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What was asked for when: a look may act on what is no longer so, but was a moment ago. */
export class Past {
  readonly #time: VirtualTime
  /** What a formation was until when. */
  readonly #formations = new Map<
    FormationId,
    { is: SeenFormation; readonly was: { it: SeenFormation; until: number }[] }
  >()
  readonly #wishes = new Map<AppId, number>()

  constructor(time: VirtualTime) {
    this.#time = time
  }

  formation(it: SeenFormation): void {
    const known = this.#formations.get(it.id)
    if (!known) {
      this.#formations.set(it.id, { is: it, was: [] })
      return
    }
    if (JSON.stringify(known.is) === JSON.stringify(it)) return
    known.was.push({ it: known.is, until: this.#time.now })
    known.is = it
    if (it.release !== known.was.at(-1)?.it.release) this.wished(it.app)
  }

  /** Something was asked of the app. */
  wished(app: AppId): void {
    this.#wishes.set(app, this.#time.now)
  }

  wishedSince(app: AppId, moment: number): boolean {
    return (this.#wishes.get(app) ?? -Infinity) >= moment
  }

  /** Whether it is so, or was in the last so many milliseconds. */
  lately(
    id: FormationId,
    milliseconds: number,
    claim: (it: SeenFormation) => boolean,
  ): boolean {
    const known = this.#formations.get(id)
    if (!known) return false
    const since = this.#time.now - milliseconds
    const recent = known.was.filter(({ until }) => until >= since).map(({ it }) => it)
    return [known.is, ...recent].some(claim)
  }
}
