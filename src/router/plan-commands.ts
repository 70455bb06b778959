/**
 * What must be said to a running HAProxy so that it becomes what the routing table says:
 * a pure function of the two. An app's servers come before the entry that sends requests
 * to them; a server goes first out of the way and is deleted once HAProxy lets it go. No
 * server goes while its backend lacks one: its successor might be refused; nor, where its dyno is
 * served by another backend from now on, while an entry still leads to this one.
 */

import type { LiveRouter, LiveServer } from './live-router.ts'
import { argument } from './map-entry.ts'
import type { RoutingTable, Server } from './routing-table.ts'
import { serverId } from './server-id.ts'
import { SERVER_SETTINGS } from './server-settings.ts'

export interface Wanted {
  readonly table: RoutingTable
  readonly hostsMap: string
  readonly challengesMap: string
  /** Names of servers whose dynos are gone: nothing is lost with their connections. */
  readonly dead: ReadonlySet<string>
  /** Servers that requests of before a reload are still at, with their backends. */
  readonly busy: ReadonlySet<string>
}

export function planCommands(
  { table, hostsMap, challengesMap, dead, busy }: Wanted,
  live: LiveRouter,
): string[] {
  const wanted = new Set(table.servers.map(pathOf))
  const moved = new Set(table.servers.map(({ name }) => name))
  const incomplete = new Set(missing(table, live.servers).map(({ backend }) => backend))
  const led = new Set(
    [...live.hosts.values()].map((entry) => entry.slice(0, entry.indexOf('/'))),
  )
  return [
    ...additions(table.servers, live.servers),
    ...stickiness(table, live),
    ...entryChanges(table.hosts, live.hosts, hostsMap),
    ...entryChanges(table.challenges, live.challenges, challengesMap),
    ...live.servers
      .filter((server) => !wanted.has(pathOf(server)))
      .filter(({ name, backend }) => dead.has(name) || !incomplete.has(backend))
      .filter(({ name, backend }) => !moved.has(name) || !led.has(backend))
      .flatMap((server) =>
        removal(server, { dead: dead.has(server.name), busy: busy.has(pathOf(server)) }),
      ),
  ]
}

/** The servers that ought to take requests and do not. */
export function missing(
  table: RoutingTable,
  live: readonly LiveServer[],
): readonly Server[] {
  const serving = new Set(live.filter((it) => !it.inMaintenance).map(pathOf))
  return table.servers.filter((server) => !serving.has(pathOf(server)))
}

/** As HAProxy's commands name it. */
export function pathOf({ backend, name }: Pick<Server, 'backend' | 'name'>): string {
  return `${backend}/${name}`
}

function additions(wanted: readonly Server[], live: readonly LiveServer[]): string[] {
  const there = new Map(live.map((server) => [pathOf(server), server]))
  const ids = new Set(live.map((server) => server.id))
  return wanted.flatMap((server) => {
    const { name, address, port } = server
    const path = pathOf(server)
    const present = there.get(path)
    if (present && !present.inMaintenance) return []
    const begin = [`enable health ${path}`]
    if (present) return [...begin, `set server ${path} state ready`]
    const id = serverId(name, ids)
    ids.add(id)
    return [
      `add server ${path} ${address}:${port} id ${id} ${SERVER_SETTINGS}`,
      ...begin,
      `enable server ${path}`,
    ]
  })
}

/** Servers added at run time have no cookie until their backend is told to give them one. */
function stickiness(
  { sticky, servers, hosts }: RoutingTable,
  live: LiveRouter,
): string[] {
  const there = new Set(live.servers.map(pathOf))
  const incomplete = servers.filter((server) => !there.has(pathOf(server)))
  const changed = [...hosts].filter(([host, entry]) => live.hosts.get(host) !== entry)
  const backends = new Set([
    ...incomplete.map(({ backend }) => backend),
    ...changed.map(([, entry]) => entry.slice(0, entry.indexOf('/'))),
  ])
  return [...backends]
    .filter((it) => sticky.has(it))
    .map((it) => `enable dynamic-cookie backend ${it}`)
}

function entryChanges(
  wanted: ReadonlyMap<string, string>,
  live: ReadonlyMap<string, string>,
  map: string,
): string[] {
  const put = [...wanted].flatMap(([host, entry]) => {
    const present = live.get(host)
    if (present === entry) return []
    const verb = present === undefined ? 'add' : 'set'
    return [`${verb} map ${map} ${argument(host)} ${argument(entry)}`]
  })
  const gone = [...live.keys()].filter((host) => !wanted.has(host))
  return [...put, ...gone.map((host) => `del map ${map} ${argument(host)}`)]
}

function removal(
  live: LiveServer,
  { dead, busy }: { readonly dead: boolean; readonly busy: boolean },
): string[] {
  const server = pathOf(live)
  return [
    ...(live.inMaintenance ? [] : [`set server ${server} state maint`]),
    ...(dead ? [`shutdown sessions server ${server}`] : []),
    ...(busy && !dead ? [] : [`del server ${server}`]),
  ]
}
