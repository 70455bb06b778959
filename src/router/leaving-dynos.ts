/** Which dynos are on their way out of the router, and which of them no request can reach any more. */

import { SECOND } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import type { RouterFacts, WebDyno } from '../store/routes.ts'
import type { LiveRouter, LiveServer } from './live-router.ts'

/** Names of servers whose dynos have ended. */
export function deadServers(
  live: LiveRouter,
  { dynos }: RouterFacts,
): ReadonlySet<string> {
  const alive = new Set<string>(
    dynos.flatMap(({ id, state }) =>
      state === 'crashed' || state === 'down' ? [] : [id],
    ),
  )
  const names = live.servers.map((server) => server.name)
  return new Set(names.filter((name) => !alive.has(dynoOf(name))))
}

/** The dynos that are routed and may be no longer. */
export function leaving({ dynos }: RouterFacts): readonly WebDyno[] {
  return dynos.filter((dyno) => dyno.routed && dyno.state !== 'up')
}

/**
 * A dyno is left when its server is gone; or when it was in maintenance already as we asked who
 * is busy, and was not: none but idle connections lead to it, and those are the dyno's to close.
 */
export function dynosLeft(
  facts: RouterFacts,
  it: {
    readonly before: readonly LiveServer[]
    readonly servers: readonly LiveServer[]
    readonly busy: ReadonlySet<string>
    readonly drainTimeout: number
  },
): DynoId[] {
  const there = Map.groupBy(it.servers, ({ name }) => dynoOf(name))
  const before = Map.groupBy(it.before, ({ name }) => dynoOf(name))
  const busy = new Set([...it.busy].map(dynoOf))
  const left = leaving(facts).filter(({ id, state }) => {
    const servers = there.get(id)
    if (!servers) return !busy.has(id) || state === 'crashed' || state === 'down'
    const wasShut = before.get(id)?.every((server) => server.inMaintenance)
    if (wasShut && !busy.has(id)) return true
    return servers.every(
      ({ inMaintenance, unchangedFor }) =>
        inMaintenance && unchangedFor * SECOND >= it.drainTimeout,
    )
  })
  return left.map(({ id }) => id)
}

/** The id in `web.1:<id>`, with its backend or without. */
function dynoOf(server: string): string {
  return server.slice(server.indexOf(':') + 1)
}
