/** The HAProxy that runs: what it says of itself, and how it is brought to a routing table. */

import { hardFileLimit } from '../lib/hard-file-limit.ts'
import { SECOND } from '../lib/clock.ts'
import type { RouterFacts } from '../store/routes.ts'
import { ask, askIfPresent } from './haproxy-socket.ts'
import { deadServers } from './leaving-dynos.ts'
import {
  type LiveRouter,
  type LiveServer,
  parseLiveRouter,
  parseWorker,
  questions,
  type Worker,
} from './live-router.ts'
import { missing, pathOf, planCommands } from './plan-commands.ts'
import type { RouterPaths } from './router-paths.ts'
import type { RoutingTable } from './routing-table.ts'

/** How often to see who has left that others wait for, in milliseconds. */
export const LOOK_AT_DRAINING = 50
/** As long as something takes, it may well take again: a tenth of that is no delay. */
const SHARE_OF_THE_PAST = 1 / 10

/** The worker that takes new connections; undefined: none runs. */
export async function presentWorker({
  adminSocket,
}: RouterPaths): Promise<Worker | undefined> {
  const text = await askIfPresent(adminSocket, ['show info'])
  return text === undefined ? undefined : parseWorker(text)
}

/**
 * How many it may have open: not as many as the manager where it was begun by another shell, and HAProxy may
 * be unable to raise that. Infinity: it has just ended.
 */
export function filesOf({ pid }: Worker): number {
  try {
    return hardFileLimit(pid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Infinity
    throw error
  }
}

/** What it has; undefined: none runs. */
export async function readRouter(paths: RouterPaths): Promise<LiveRouter | undefined> {
  const text = await askIfPresent(paths.adminSocket, questions(paths))
  return text === undefined ? undefined : parseLiveRouter(text)
}

/**
 * Which servers HAProxy has afterwards; undefined if it went away meanwhile. What comes is
 * said first, what goes only once that is there.
 */
export async function bringTo(
  table: RoutingTable,
  it: {
    readonly live: LiveRouter
    readonly facts: RouterFacts
    readonly paths: RouterPaths
    readonly busy: ReadonlySet<string>
  },
): Promise<readonly LiveServer[] | undefined> {
  const { live, paths, busy } = it
  const dead = deadServers(live, it.facts)
  const { hostsMap, challengesMap } = paths
  const commands = planCommands({ table, hostsMap, challengesMap, dead, busy }, live)
  if (commands.length === 0) return live.servers

  const answer = await ask(paths.adminSocket, commands)
  if (answer.is === 'failed') throw answer.error
  const after = await readRouter(paths)
  if (!after || missing(table, live.servers).length === 0) return after?.servers
  return missing(table, after.servers).length === 0
    ? bringTo(table, { ...it, live: after })
    : after.servers
}

/** An Error with the names of the table's servers that are not among these. */
export function throwUnlessTaken(
  table: RoutingTable,
  servers: readonly LiveServer[],
): void {
  const refused = missing(table, servers)
  if (refused.length === 0) return
  const names = refused.map((it) => it.name).join(', ')
  throw new Error(`HAProxy did not take ${names}`)
}

/** Milliseconds until one of the servers that the table has not may be ready to be deleted; Infinity: there is none. */
export function untilOneMayGo(
  table: RoutingTable,
  servers: readonly LiveServer[],
): number {
  const wanted = new Set(table.servers.map(pathOf))
  const unwanted = servers.filter((server) => !wanted.has(pathOf(server)))
  return Math.min(Infinity, ...unwanted.map(soonestGone))
}

/**
 * When to see whether a server can be deleted that no dyno waits for. One that has a websocket may stay for
 * a day: so the longer it has been on its way out, the less often.
 */
function soonestGone({ inMaintenance, unchangedFor }: LiveServer): number {
  if (!inMaintenance) return LOOK_AT_DRAINING
  return Math.max(LOOK_AT_DRAINING, SHARE_OF_THE_PAST * unchangedFor * SECOND)
}
