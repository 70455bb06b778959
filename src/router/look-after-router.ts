/**
 * Keeps a region's HAProxy to what the database says. First the files, from which it
 * would start anew at any moment; then the running one, as a whole, whatever it knows
 * already; then the database is told which dynos requests reach and which no more.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Pool } from 'pg'

import { pause, SECOND } from '../lib/clock.ts'
import type { DynoId, RegionId } from '../model/ids.ts'
import { inTransaction } from '../store/queryable.ts'
import {
  assignSlots,
  recordRouted,
  routerFacts,
  type RouterFacts,
} from '../store/routes.ts'
import type { Look } from '../work/loop.ts'
import {
  HEROKU_TIMEOUTS,
  haproxyConfig,
  type RouterSettings,
  type RouterTimeouts,
  shapeOf,
} from './haproxy-config.ts'
import {
  checkConfig,
  hardFileLimit,
  listenAddresses,
  maxConnections,
} from './haproxy-program.ts'
import { ask } from './haproxy-socket.ts'
import {
  type LiveRouter,
  type LiveServer,
  parseLiveRouter,
  parseServers,
  questions,
} from './live-router.ts'
import { planCommands } from './plan-commands.ts'
import { Files, routerFiles } from './router-files.ts'
import { type RouterPaths, routerPaths } from './router-paths.ts'
import { routingTable, type RoutingTable } from './routing-table.ts'

export interface RouterDeps {
  readonly pool: Pool
  /** The router's own, `data.router(region)`. */
  readonly directory: string
  /** `<data>/run/logs/syslog.sock`. */
  readonly logSocket: string
  readonly timeouts?: RouterTimeouts
  /**
   * How long a dyno on its way out may finish requests before it is told to stop, in
   * milliseconds. What then still runs goes on until the dyno ends.
   */
  readonly drainTimeout?: number
}

const DRAIN_TIMEOUT = 30 * SECOND
const LOOK_AT_DRAINING = 50
const LOOK_FOR_HAPROXY = 100
/** Nobody tells us when HAProxy was started anew. */
const LOOK_ANYWAY = 5 * SECOND
const RELOADED_WITHIN = 20 * SECOND

/** The look for work kind `router`; its subject is the region's id. */
export function lookAfterRouter(deps: RouterDeps): Look {
  const { pool, drainTimeout = DRAIN_TIMEOUT } = deps
  const paths = routerPaths(deps.directory)
  const lua = readFileSync(join(import.meta.dirname, 'router.lua'), 'utf8')
  const files = new Files()

  return async (subject, signal) => {
    const facts = await factsOf(pool, subject as RegionId)
    const settings = settingsOf(facts, paths, deps)
    const table = routingTable(facts)
    await writeAll(files, { table, settings, lua })

    const live = await liveRouter(table, settings, signal)
    const servers = live && (await bringTo(table, { live, facts, paths }))
    const news = newsOf(facts, servers ?? [], drainTimeout)
    if (news.reached.length + news.left.length > 0) {
      await inTransaction(pool, (tx) => recordRouted(tx, facts.region.name, news))
    }
    if (!servers) return LOOK_FOR_HAPROXY
    return servers.some((it) => it.inMaintenance) ? LOOK_AT_DRAINING : LOOK_ANYWAY
  }
}

async function factsOf(pool: Pool, region: RegionId): Promise<RouterFacts> {
  const facts = await routerFacts(pool, region)
  if (!facts) throw new Error(`there is no region ${region}`)
  if (facts.apps.every((app) => app.slot !== null)) return facts
  await inTransaction(pool, (tx) => assignSlots(tx, facts.region.name))
  return factsOf(pool, region)
}

function settingsOf(
  { region }: RouterFacts,
  paths: RouterPaths,
  { logSocket, timeouts = HEROKU_TIMEOUTS }: RouterDeps,
): RouterSettings {
  return {
    paths,
    listen: listenAddresses(region.domain, region.httpPort),
    port: region.httpPort,
    logSocket,
    maxConnections: maxConnections(hardFileLimit()),
    asRoot: process.getuid?.() === 0,
    timeouts,
  }
}

/** The configuration comes last: where it is, all that it names is there. */
async function writeAll(
  files: Files,
  it: {
    readonly table: RoutingTable
    readonly settings: RouterSettings
    readonly lua: string
  },
): Promise<void> {
  const { table, settings, lua } = it
  const { paths } = settings
  for (const [path, content] of routerFiles(table, paths, lua)) {
    await files.write(path, content)
  }
  const shape = shapeOf(table, settings)
  const newShape = !(await files.holds(paths.config, shape))
  const check = newShape ? checkConfig : undefined
  await files.write(paths.config, haproxyConfig(table, settings), check)
}

/** The running HAProxy, of this table's shape; undefined if none runs. */
async function liveRouter(
  table: RoutingTable,
  settings: RouterSettings,
  signal: AbortSignal,
): Promise<LiveRouter | undefined> {
  const { paths } = settings
  const shape = shapeOf(table, settings)
  const live = await readRouter(paths)
  if (!live || live.shape === shape) return live

  const told = await ask(paths.masterSocket, ['reload'])
  if (told.is === 'absent') return undefined
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(RELOADED_WITHIN)])
  while (!deadline.aborted) {
    await pause(LOOK_AT_DRAINING, deadline)
    const reloaded = await readRouter(paths)
    if (reloaded?.shape === shape) return reloaded
  }
  throw new Error('HAProxy did not take its new configuration')
}

async function readRouter(paths: RouterPaths): Promise<LiveRouter | undefined> {
  const answer = await ask(paths.adminSocket, questions(paths.hostsMap))
  if (answer.is === 'failed') throw answer.error
  return answer.is === 'absent' ? undefined : parseLiveRouter(answer.text)
}

/** Which servers HAProxy has afterwards; undefined if it went away meanwhile. */
async function bringTo(
  table: RoutingTable,
  it: {
    readonly live: LiveRouter
    readonly facts: RouterFacts
    readonly paths: RouterPaths
  },
): Promise<readonly LiveServer[] | undefined> {
  const { live, facts, paths } = it
  const alive = new Set<string>(
    facts.dynos.flatMap(({ id, state }) =>
      state === 'crashed' || state === 'down' ? [] : [id],
    ),
  )
  const dead = new Set(
    live.servers.map((server) => server.name).filter((name) => !alive.has(dynoOf(name))),
  )
  const commands = planCommands({ table, hostsMap: paths.hostsMap, dead }, live)
  if (commands.length === 0) return live.servers

  const answer = await ask(paths.adminSocket, commands)
  if (answer.is === 'failed') throw answer.error
  const after = await ask(paths.adminSocket, ['show servers state'])
  if (after.is === 'failed') throw after.error
  return after.is === 'absent' ? undefined : parseServers(after.text)
}

/** What the rows do not say yet. Without a HAProxy nothing is reached anew. */
function newsOf(
  { dynos }: RouterFacts,
  servers: readonly LiveServer[],
  drainTimeout: number,
): { readonly reached: DynoId[]; readonly left: DynoId[] } {
  const there = new Map(servers.map((server) => [dynoOf(server.name), server]))
  const reached = dynos.filter((dyno) => {
    const server = there.get(dyno.id)
    return !dyno.routed && server && !server.inMaintenance
  })
  const left = dynos.filter((dyno) => {
    if (!dyno.routed || dyno.state === 'up') return false
    return !there.has(dyno.id) || dyno.inStateFor > drainTimeout
  })
  return { reached: reached.map(({ id }) => id), left: left.map(({ id }) => id) }
}

/** The id in `web.1:<id>`. */
function dynoOf(server: string): string {
  return server.slice(server.indexOf(':') + 1)
}
