/**
 * Keeps a region's HAProxy to what the database says. First the dynos that are to get
 * requests are recorded as routed, for from then on they may; then the files, from which
 * it would start anew at any moment; then the running one, as a whole, whatever it knows
 * already; last it is recorded which dynos no request can reach any more.
 *
 * A dyno recorded as routed may not be so for a moment yet, and its predecessor begins to
 * leave. That one goes by a look alone, which takes no server away before its successor
 * serves.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Pool } from 'pg'

import { SECOND } from '../lib/clock.ts'
import { hardFileLimit } from '../lib/hard-file-limit.ts'
import { type Log, silentLog } from '../lib/log.ts'
import type { RegionId } from '../model/ids.ts'
import { recordAnswers } from '../store/acme.ts'
import { inTransaction } from '../store/queryable.ts'
import {
  assignSlots,
  recordLeft,
  recordReachable,
  routerFacts,
  type RouterFacts,
} from '../store/routes.ts'
import type { Look } from '../work/loop.ts'
import { busyServers } from './busy-servers.ts'
import { bringCertificates, ensureCertificateList } from './bring-certificates.ts'
import { haproxyConfig, shapeOf } from './haproxy-config.ts'
import {
  checkConfig,
  hasIpv6,
  listenAddresses,
  maxConnections,
} from './haproxy-program.ts'
import { ask } from './haproxy-socket.ts'
import { deadServers, dynosLeft, leaving } from './leaving-dynos.ts'
import { LeftOutCertificates } from './left-out-certificates.ts'
import {
  type LiveRouter,
  type LiveServer,
  parseLiveRouter,
  questions,
} from './live-router.ts'
import { missing, pathOf, planCommands } from './plan-commands.ts'
import { Reloads } from './reloads.ts'
import { Files, routerFiles } from './router-files.ts'
import { type RouterPaths, routerPaths } from './router-paths.ts'
import {
  HEROKU_TIMEOUTS,
  type RouterSettings,
  type RouterTimeouts,
} from './router-settings.ts'
import { routingTable, type RoutingTable } from './routing-table.ts'
import { type CertificateSources, wantedCertificates } from './wanted-certificates.ts'

export interface RouterDeps {
  readonly pool: Pool
  /** The router's own, `data.router(region)`. */
  readonly directory: string
  /** Where `logs` takes records of requests. */
  readonly logSocket: string
  /** Undefined: it takes no TLS. */
  readonly tls?: CertificateSources
  readonly timeouts?: RouterTimeouts
  /**
   * How long a dyno on its way out may finish requests before it is told to stop, in
   * milliseconds, as set now. What then still runs goes on until the dyno ends.
   */
  readonly drainTimeout?: () => number
  readonly log?: Log
}

/** As it is when the manager starts. */
interface Machine {
  /** A process's hard limit of open files. */
  readonly files: number
  readonly six: boolean
}

const DRAIN_TIMEOUT = 30 * SECOND
const LOOK_AT_DRAINING = 50
/** As long as something takes, it may well take again: a tenth of that is no delay. */
const SHARE_OF_THE_PAST = 1 / 10
const LOOK_FOR_HAPROXY = 100
/** Nobody tells us when HAProxy was started anew. */
const LOOK_ANYWAY = 5 * SECOND
/** At once, but put down in between: see `routersHeed`. */
const BRING_MORE = 1

const LUA = readFileSync(join(import.meta.dirname, 'router.lua'), 'utf8')

/** The look for work kind `router`; its subject is the region's id. */
export function lookAfterRouter(deps: RouterDeps): Look {
  const { pool, drainTimeout = () => DRAIN_TIMEOUT, log = silentLog } = deps
  const paths = routerPaths(deps.directory)
  const files = new Files()
  const reloads = new Reloads()
  const machine = { files: hardFileLimit(), six: hasIpv6() }
  /** Of those that are left out the log hears once. */
  const told = new Set<string>()
  const tls = deps.tls && {
    sources: deps.tls,
    leftOut: new LeftOutCertificates(deps.tls.clock, log),
  }

  return async (subject, signal) => {
    const facts = await announced(pool, await factsOf(pool, subject as RegionId))
    const settings = settingsOf(facts, paths, { ...deps, machine })
    const table = routingTable(facts)
    for (const key of table.leftOut.filter((it) => !told.has(it))) {
      log.info('HAProxy cannot be told of an entry: it is left out', { key })
      told.add(key)
    }
    const certificates = settings.tls && {
      paths,
      files,
      defaultCertificate: settings.tls.certificate,
    }
    if (certificates) await ensureCertificateList(certificates)
    await writeAll(files, table, settings)

    const live = await liveRouter(table, settings, reloads, signal)
    const busy = leaving(facts).length > 0 ? await busyServers(paths) : new Set<string>()
    const servers = live && (await bringTo(table, { live, facts, paths, busy }))
    const left = dynosLeft(facts, {
      before: live?.servers ?? [],
      servers: servers ?? [],
      busy,
      drainTimeout: drainTimeout(),
    })
    if (left.length > 0) {
      await inTransaction(pool, (tx) => recordLeft(tx, facts.region.name, left))
    }
    if (!servers) return LOOK_FOR_HAPROXY
    await recordAnswers(pool, facts.region.name, [...table.challenges.values()])
    const hasAllCertificates =
      !certificates ||
      !tls ||
      (await bringCertificates(
        await wantedCertificates(facts, pool, tls.sources),
        { ...certificates, leftOut: tls.leftOut },
        signal,
      ))
    const refused = missing(table, servers)
    if (refused.length > 0) {
      throw new Error(`HAProxy did not take ${refused.map((it) => it.name).join(', ')}`)
    }
    if (!hasAllCertificates) return BRING_MORE
    if (leaving(facts).length > left.length) return LOOK_AT_DRAINING
    return Math.min(LOOK_ANYWAY, ...unwanted(table, servers).map(soonestGone))
  }
}

async function factsOf(pool: Pool, region: RegionId): Promise<RouterFacts> {
  const facts = await routerFacts(pool, region)
  if (!facts) throw new Error(`there is no region ${region}`)
  if (facts.apps.every((app) => app.slot !== null)) return facts
  await inTransaction(pool, (tx) => assignSlots(tx, facts.region.name))
  return factsOf(pool, region)
}

/** The facts once every dyno that is up is recorded as routed: none that is not is served. */
async function announced(pool: Pool, facts: RouterFacts): Promise<RouterFacts> {
  const { region, dynos } = facts
  const unannounced = dynos.filter((it) => it.state === 'up' && !it.routed)
  if (unannounced.length === 0) return facts
  const recorded = new Set(
    await inTransaction(pool, (tx) =>
      recordReachable(
        tx,
        region.name,
        unannounced.map(({ id }) => id),
      ),
    ),
  )
  return {
    ...facts,
    dynos: dynos
      .filter((it) => !unannounced.includes(it) || recorded.has(it.id))
      .map((it) => (recorded.has(it.id) ? { ...it, routed: true } : it)),
  }
}

function settingsOf(
  { region }: RouterFacts,
  paths: RouterPaths,
  deps: RouterDeps & { machine: Machine },
): RouterSettings {
  const { logSocket, timeouts = HEROKU_TIMEOUTS, machine, tls } = deps
  const { domain, httpPort, httpsPort } = region
  return {
    paths,
    listen: listenAddresses(domain, httpPort, machine.six),
    tls:
      tls && httpsPort !== null
        ? {
            listen: listenAddresses(domain, httpsPort, machine.six),
            port: httpsPort,
            certificate: tls.unnamed,
          }
        : undefined,
    logSocket,
    maxConnections: maxConnections(machine.files),
    asRoot: process.getuid?.() === 0,
    timeouts,
    lua: LUA,
  }
}

/** The configuration comes last: where it is, all that it names is there. */
async function writeAll(
  files: Files,
  table: RoutingTable,
  settings: RouterSettings,
): Promise<void> {
  const { paths, lua } = settings
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
  reloads: Reloads,
  signal: AbortSignal,
): Promise<LiveRouter | undefined> {
  const { paths } = settings
  const shape = shapeOf(table, settings)
  let live = await readRouter(paths)
  if (!live || live.shape === shape) return live

  const hasShape = async () => {
    live = await readRouter(paths)
    return live?.shape === shape
  }
  return (await reloads.to(shape, paths, hasShape, signal)) ? live : undefined
}

async function readRouter(paths: RouterPaths): Promise<LiveRouter | undefined> {
  const answer = await ask(paths.adminSocket, questions(paths))
  if (answer.is === 'failed') throw answer.error
  return answer.is === 'absent' ? undefined : parseLiveRouter(answer.text)
}

/**
 * Which servers HAProxy has afterwards; undefined if it went away meanwhile. What comes is
 * said first, what goes only once that is there.
 */
async function bringTo(
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

function unwanted(
  table: RoutingTable,
  servers: readonly LiveServer[],
): readonly LiveServer[] {
  const wanted = new Set(table.servers.map(pathOf))
  return servers.filter((server) => !wanted.has(pathOf(server)))
}

/**
 * When to see whether a server can be deleted that no dyno waits for. One that has a websocket may stay for
 * a day: so the longer it has been on its way out, the less often.
 */
function soonestGone({ inMaintenance, unchangedFor }: LiveServer): number {
  if (!inMaintenance) return LOOK_AT_DRAINING
  return Math.max(LOOK_AT_DRAINING, SHARE_OF_THE_PAST * unchangedFor * SECOND)
}
