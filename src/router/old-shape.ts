/**
 * What a worker can take that is not of the wanted shape, and that HAProxy could not replace: all
 * but what needs backends that it lacks.
 */

import type { RouterFacts } from '../store/routes.ts'
import { askIfPresent } from './haproxy-socket.ts'
import type { LiveRouter } from './live-router.ts'
import type { RouterPaths } from './router-paths.ts'
import { BACKEND, routingTable, type RoutingTable } from './routing-table.ts'

/** Its backends, and its lists of certificates; of none that has gone. */
export type Known = ReadonlySet<string>

export async function knownTo({ adminSocket }: RouterPaths): Promise<Known> {
  const text = await askIfPresent(adminSocket, ['show backend', 'show ssl crt-list'])
  return new Set(text?.split('\n'))
}

/** Without dynos that it could not serve and that are not recorded as routed: they must not be. */
export function servable(facts: RouterFacts, known: Known): RouterFacts {
  const lost = new Set(
    routingTable(facts)
      .servers.filter(({ backend }) => !known.has(backend))
      .map(({ dyno }) => dyno),
  )
  return {
    ...facts,
    dynos: facts.dynos.filter(({ id, routed }) => routed || !lost.has(id)),
  }
}

/** The table as it can be had of it: what leads to backends that it lacks stays as it is there. */
export function within(
  table: RoutingTable,
  live: LiveRouter,
  known: Known,
): RoutingTable {
  const lacks = (backend: string) => BACKEND.test(backend) && !known.has(backend)
  return {
    ...table,
    hosts: new Map(
      [...table.hosts].flatMap(([host, entry]): [string, string][] => {
        if (!lacks(entry.slice(0, entry.indexOf('/')))) return [[host, entry]]
        const present = live.hosts.get(host)
        return present === undefined ? [] : [[host, present]]
      }),
    ),
    servers: table.servers.flatMap((server) =>
      lacks(server.backend)
        ? live.servers
            .filter(({ name }) => name === server.name)
            .map(({ backend }) => ({ ...server, backend }))
        : [server],
    ),
  }
}
