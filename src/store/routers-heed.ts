import { pause, SECOND } from '../lib/clock.ts'
import type { Queryable } from './queryable.ts'

interface Patience {
  /** For all of it, in milliseconds: one in the middle of a reload takes half a second. */
  readonly longest: number
  /** For somebody to come and look after a router, in milliseconds. */
  readonly untilAttended: number
}

const PATIENCE: Patience = { longest: 2 * SECOND, untilAttended: SECOND }
const LOOK_AGAIN = 10

/**
 * Resolves once the routers serve what was committed before, so that whoever is then told
 * that it is done and asks at once meets no page of before. It is waited for two seconds at
 * most, and not at all for a router that nobody has come to look after for one: its manager is
 * away, and the wish comes true when that is back.
 */
export async function routersHeed(db: Queryable, patience = PATIENCE): Promise<void> {
  const end = performance.now() + patience.longest
  let woken = await unheeded(db, patience)
  while (woken.length > 0 && performance.now() < end) {
    await pause(LOOK_AGAIN)
    const now = new Map((await unheeded(db, patience)).map((it) => [it.subject, it]))
    woken = woken.filter(({ subject, wakes }) => {
      const it = now.get(subject)
      return it !== undefined && BigInt(it.heeded) < BigInt(wakes)
    })
  }
}

interface Unheeded {
  readonly subject: string
  readonly wakes: string
  readonly heeded: string
}

async function unheeded(db: Queryable, { untilAttended }: Patience): Promise<Unheeded[]> {
  const { rows } = await db.query(
    `select subject, wakes::text, heeded::text from work
      where kind = 'router' and heeded < wakes
        and (leased_until > now() or run_at > now() - make_interval(secs => $1))`,
    [untilAttended / SECOND],
  )
  return rows as Unheeded[]
}
