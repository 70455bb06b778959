/**
 * Keeps a region's HAProxy to what the database says. First the dynos that are to get
 * requests are recorded as routed, for from then on they may; then the files, from which
 * it would start anew at any moment; then the running one, as a whole, whatever it knows
 * already; last it is recorded which dynos no request can reach any more.
 *
 * Where what is wanted takes a reload, dynos that the present worker has no backend for are announced after
 * it. If HAProxy refuses it, that worker is brought to all the rest, and with that the look is done: were it to fail,
 * it would be put off for ever longer, and whoever waits for the router would wait in vain.
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
import {
  bringCertificates,
  type CertificateListDeps,
  ensureCertificateList,
} from './bring-certificates.ts'
import { haproxyConfig, shapeOf } from './haproxy-config.ts'
import {
  checkConfig,
  hasIpv6,
  listenAddresses,
  maxConnections,
} from './haproxy-program.ts'
import { dynosLeft, leaving } from './leaving-dynos.ts'
import { LeftOutCertificates } from './left-out-certificates.ts'
import type { LiveRouter, LiveServer } from './live-router.ts'
import { type Known, knownTo, servable, within } from './old-shape.ts'
import { Reloads } from './reloads.ts'
import { Files, routerFiles } from './router-files.ts'
import { type RouterPaths, routerPaths } from './router-paths.ts'
import {
  HEROKU_TIMEOUTS,
  type RouterSettings,
  type RouterTimeouts,
} from './router-settings.ts'
import { poolOf, routingTable, type RoutingTable } from './routing-table.ts'
import {
  bringTo,
  filesOf,
  LOOK_AT_DRAINING,
  presentWorker,
  readRouter,
  throwUnlessTaken,
  untilOneMayGo,
} from './running-router.ts'
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

interface Wanted {
  readonly facts: RouterFacts
  readonly table: RoutingTable
  readonly settings: RouterSettings
  readonly shape: string
  /** To the present worker, where it takes a reload to have it otherwise; else undefined. */
  readonly known: Known | undefined
}

interface Brought {
  /** What of the table the present worker can have. */
  readonly its: RoutingTable
  /** Which it has now; undefined: none runs. */
  readonly servers: readonly LiveServer[] | undefined
  /** As it was before. */
  readonly busy: ReadonlySet<string>
}

const DRAIN_TIMEOUT = 30 * SECOND
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
  const reloads = new Reloads(log)
  // As it is when the manager starts.
  const [filesOfManager, six] = [hardFileLimit(), hasIpv6()]
  /** Of those that are left out the log hears once. */
  const told = new Set<string>()
  const tls = deps.tls && {
    sources: deps.tls,
    leftOut: new LeftOutCertificates(deps.tls.clock, log),
  }

  return look

  async function look(subject: string, signal: AbortSignal): Promise<number> {
    const wanted = await announce(subject as RegionId)
    tellLeftOut(wanted.table)
    await writeFiles(wanted)
    if (await hasReloaded(wanted, signal)) return look(subject, signal)
    const live = await readRouter(paths)
    if (live && live.shape !== wanted.shape && !wanted.known) return LOOK_FOR_HAPROXY
    const brought = await bring(wanted, live)
    const areLeft = await recordWhoLeft(wanted, live, brought)
    const { its, servers } = brought
    if (!servers) return LOOK_FOR_HAPROXY
    await recordChallenges(wanted)
    const hasAllCertificates = await bringTheirCertificates(wanted, signal)
    throwUnlessTaken(its, servers)
    if (!hasAllCertificates) return BRING_MORE
    if (!areLeft) return LOOK_AT_DRAINING
    return Math.min(LOOK_ANYWAY, untilOneMayGo(its, servers))
  }

  /** What is wanted, once the dynos that are to get requests are recorded as routed. */
  async function announce(region: RegionId): Promise<Wanted> {
    const all = await factsOf(pool, region)
    const worker = await presentWorker(paths)
    const mostFiles = Math.min(filesOfManager, worker ? filesOf(worker) : Infinity)
    const settings = settingsOf(all, paths, { ...deps, six, mostFiles })
    const shape = shapeOf({ pool: poolOf(all) }, settings)
    const known = worker && worker.shape !== shape ? await knownTo(paths) : undefined
    const facts = await announced(pool, known ? servable(all, known) : all)
    return { facts, table: routingTable(facts), settings, shape, known }
  }

  function tellLeftOut({ leftOut }: RoutingTable): void {
    for (const key of leftOut.filter((it) => !told.has(it))) {
      log.info('HAProxy cannot be told of an entry: it is left out', { key })
      told.add(key)
    }
  }

  async function writeFiles({ table, settings }: Wanted): Promise<void> {
    const certificates = certificatesOf(settings)
    if (certificates) await ensureCertificateList(certificates)
    await writeAll(files, table, settings)
  }

  function certificatesOf({
    tls: door,
  }: RouterSettings): CertificateListDeps | undefined {
    return door && { paths, files, defaultCertificate: door.certificate }
  }

  async function hasReloaded(
    { known, shape }: Wanted,
    signal: AbortSignal,
  ): Promise<boolean> {
    return known !== undefined && reloads.to(shape, paths, hasShape(shape), signal)
  }

  function hasShape(shape: string): () => Promise<boolean> {
    return async () => (await presentWorker(paths))?.shape === shape
  }

  /** The running one, as far as its worker can be brought without a reload. */
  async function bring(
    { facts, table, known }: Wanted,
    live: LiveRouter | undefined,
  ): Promise<Brought> {
    const its = live && known ? within(table, live, known) : table
    const busy = leaving(facts).length > 0 ? await busyServers(paths) : new Set<string>()
    const servers = live && (await bringTo(its, { live, facts, paths, busy }))
    return { its, servers, busy }
  }

  /** Whether that is all who are on their way out. */
  async function recordWhoLeft(
    { facts }: Wanted,
    live: LiveRouter | undefined,
    { servers = [], busy }: Brought,
  ): Promise<boolean> {
    const before = live?.servers ?? []
    const seen = { before, servers, busy, drainTimeout: drainTimeout() }
    const left = dynosLeft(facts, seen)
    if (left.length > 0) {
      await inTransaction(pool, (tx) => recordLeft(tx, facts.region.name, left))
    }
    return leaving(facts).length <= left.length
  }

  function recordChallenges({ facts, table }: Wanted): Promise<void> {
    return recordAnswers(pool, facts.region.name, [...table.challenges.values()])
  }

  /** Whether that is all; one whose worker takes none has none to be brought. */
  async function bringTheirCertificates(
    { facts, settings, known }: Wanted,
    signal: AbortSignal,
  ): Promise<boolean> {
    const certificates = certificatesOf(settings)
    const takesThem = !known || known.has(paths.certificateList)
    if (!tls || !certificates || !takesThem) return true
    const served = await wantedCertificates(facts, pool, tls.sources)
    return bringCertificates(served, { ...certificates, leftOut: tls.leftOut }, signal)
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
  deps: RouterDeps & { readonly six: boolean; readonly mostFiles: number },
): RouterSettings {
  const { logSocket, timeouts = HEROKU_TIMEOUTS, six, mostFiles, tls } = deps
  const { domain, httpPort, httpsPort } = region
  return {
    paths,
    listen: listenAddresses(domain, httpPort, six),
    tls:
      tls && httpsPort !== null
        ? {
            listen: listenAddresses(domain, httpsPort, six),
            port: httpsPort,
            certificate: tls.unnamed,
          }
        : undefined,
    logSocket,
    maxConnections: maxConnections(mostFiles),
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
