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
  const there = new Map(it.servers.map((server) => [dynoOf(server.name), server]))
  const busy = new Set([...it.busy].map(dynoOf))
  const shut = new Set(
    it.before.filter((server) => server.inMaintenance).map(({ name }) => dynoOf(name)),
  )
  const left = leaving(facts).filter(({ id, state }) => {
    const server = there.get(id)
    if (!server) return !busy.has(id) || state === 'crashed' || state === 'down'
    if (shut.has(id) && !busy.has(id)) return true
    return server.inMaintenance && server.unchangedFor * SECOND >= it.drainTimeout
  })
  return left.map(({ id }) => id)
}

/** The id in `web.1:<id>`. */
function dynoOf(server: string): string {
  return server.slice(server.indexOf(':') + 1)
}
