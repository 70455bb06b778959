/**
 * From the facts of the database to what the router must do: a pure function. An app's
 * hosts lead to its entry, an entry names its backend, and a backend has one server for
 * each dyno that is up, and no other.
 */

import type { AppId, DynoId } from '../model/ids.ts'
import type { RoutedApp, RouterFacts, WebDyno } from '../store/routes.ts'
import { isMapEntry } from './map-entry.ts'

/**
 * What an app's requests meet: its dynos (`up`), a wait for the first of them
 * (`starting`; `idle`, where they also wake it), or at once the page of an H code.
 */
export type AppState = 'up' | 'starting' | 'idle' | 'H10' | 'H14' | 'H80' | 'H81'

export interface RoutingTable {
  /**
   * Host, without its port, to entry: see `entryOf`. `*.example.com` is for those of one more
   * label that are not named. And `error:<app>`, `maintenance:<app>` to
   * the URL of a page: no host that is looked up has a colon in it.
   */
  readonly hosts: ReadonlyMap<string, string>
  /** Backends whose servers are known by a cookie. */
  readonly sticky: ReadonlySet<string>
  readonly servers: readonly Server[]
  /** Path to answer. */
  readonly challenges: ReadonlyMap<string, string>
  /** Keys that are in neither map, for HAProxy could not be told of them. */
  readonly leftOut: readonly string[]
  /** Empty backends are kept ready: so many there must be of each kind. */
  readonly pool: number
}

/**
 * An app that wants nothing otherwise than others, as most do, has a backend without the rules
 * and the cookie that wishes need: a sixteenth of what HAProxy does for a request. `patient` is for those that say
 * themselves how long a dyno may take to its first byte, for what looks at dynos that hang up before must wait as long.
 */
export type BackendKind = 'app' | 'wishes' | 'patient'

export const BACKEND_KINDS: readonly BackendKind[] = ['app', 'wishes', 'patient']

export interface Server {
  readonly dyno: DynoId
  readonly backend: string
  /** `web.1:<dyno id>`: never another dyno's, and the log can tell the place from it. */
  readonly name: string
  readonly address: string
  readonly port: number
}

const SMALLEST_POOL = 256

/** Of one web dyno: more requests than these do not wait for it: H11. */
export const BACKLOG = 200

/** What the names of apps' backends are like, and no other's. */
export const BACKEND = /^(app|wishes|patient)\d+$/

/** The backend that answers by a page: of apps whose state is an H code, for one. */
export const NO_SERVER = 'no_server'

/** Below it an authority asks whether a domain is ours (RFC 8555, 8.3). */
export const CHALLENGE_PATH = '/.well-known/acme-challenge/'

export function routingTable({
  region,
  apps,
  dynos,
  challenges,
  elsewhere,
}: RouterFacts): RoutingTable {
  const dynosOf = Map.groupBy(dynos, (dyno) => dyno.app)
  const kinds = new Map(apps.map((app) => [app.id, kindOf(app)]))
  // A destroyed app wants nothing any more.
  const kindFor = (app: AppId) => kinds.get(app) ?? 'app'
  const hosts: [string, string][] = [
    ...elsewhere.flatMap((it) => {
      const more = `${it.address}/${it.tlsAddress ?? ''}`
      const text = entryOf({ backend: NO_SERVER, state: 'H31', app: it.id, more })
      return hostsOf(it, region).map((host): [string, string] => [host, text])
    }),
    ...apps.flatMap((app): [string, string][] => {
      if (app.slot === null) return []
      const state = stateOf(app, dynosOf.get(app.id) ?? [])
      const serves = state === 'up' || state === 'starting' || state === 'idle'
      const entry = serves
        ? {
            backend: backendOf(kindOf(app), app.slot),
            more: `${BACKLOG * app.web}`,
            ...wishesOf(app),
          }
        : { backend: NO_SERVER }
      const text = entryOf({ ...entry, state, app: app.id })
      return [
        ...hostsOf(app, region).map((host): [string, string] => [host, text]),
        ...pagesOf(app),
      ]
    }),
  ]
  const answers = challenges.map((it): [string, string] => [
    `${CHALLENGE_PATH}${it.token}`,
    it.keyAuthorization,
  ])
  const leftOut = new Set([...hosts, ...answers].filter((it) => !isMapEntry(...it)))
  return {
    hosts: new Map(hosts.filter((it) => !leftOut.has(it))),
    challenges: new Map(answers.filter((it) => !leftOut.has(it))),
    leftOut: [...leftOut].map(([key]) => key),
    sticky: new Set(
      apps.flatMap((app) =>
        app.sticky && app.slot !== null ? [backendOf(kindOf(app), app.slot)] : [],
      ),
    ),
    servers: dynos.flatMap((dyno) => serverOf(dyno, kindFor(dyno.app))),
    pool: poolOf({ region, apps }),
  }
}

function hostsOf(
  { name, domains }: Pick<RoutedApp, 'name' | 'domains'>,
  { domain }: RouterFacts['region'],
): string[] {
  return [`${name}.${domain}`, ...domains]
}

/**
 * Slashes part the fields; HAProxy's `field` converter takes them out again, letter by letter, so
 * those come first that it needs of every request. Where HAProxy refuses a reload, a worker of an earlier version
 * is given them, too: one that has a place keeps it.
 */
function entryOf(
  it: {
    readonly backend: string
    readonly state: AppState | 'H31'
    readonly app: AppId
    /** How many requests may wait, or the addresses elsewhere. */
    readonly more?: string
  } & Wishes,
): string {
  const { backend, state, app, wishes = '', more, timeouts = [] } = it
  return [backend, state, wishes, app, ...(more ? [more] : []), ...timeouts].join('/')
}

/** What an app wants otherwise than others. */
interface Wishes {
  readonly wishes?: string
  /** To the first byte, and of silence, in milliseconds; empty for the usual ones. */
  readonly timeouts?: readonly (number | '')[]
}

function kindOf(app: RoutedApp): BackendKind {
  if (app.routing?.responseTimeout !== undefined) return 'patient'
  return wishesOf(app).wishes ? 'wishes' : 'app'
}

function wishesOf({ sticky, routing, httpsOnly }: RoutedApp): Wishes {
  const wishes = [sticky && 'sticky', httpsOnly && 'https', routing && 'routing'].filter(
    Boolean,
  )
  if (wishes.length === 0) return {}
  const { responseTimeout = '', idleTimeout = '' } = routing ?? {}
  return { wishes: wishes.join('+'), timeouts: [responseTimeout, idleTimeout] }
}

function pagesOf({ id, routing }: RoutedApp): [string, string][] {
  const pages = { error: routing?.errorPage, maintenance: routing?.maintenancePage }
  return Object.entries(pages).flatMap(([kind, url]): [string, string][] =>
    url === undefined ? [] : [[`${kind}:${id}`, escaped(url)]],
  )
}

/** For an attribute of HTML. A URL has none of the other letters that could end one. */
function escaped(url: string): string {
  return url.replaceAll('&', '&amp;').replaceAll("'", '&#39;')
}

export function stateOf(app: RoutedApp, dynos: readonly WebDyno[]): AppState {
  if (app.maintenance) return 'H80'
  if (!app.deployed) return 'H81'
  if (app.web === 0) return 'H14'
  const states = new Set(dynos.map((dyno) => dyno.state))
  if (states.has('up')) return 'up'
  if (app.idle) return 'idle'
  const boots = states.has('starting') || states.has('idle')
  if (states.has('crashed') && !boots) return 'H10'
  return 'starting'
}

export function backendOf(kind: BackendKind, slot: number): string {
  return `${kind}${slot}`
}

function serverOf(dyno: WebDyno, kind: BackendKind): Server[] {
  const { id, ordinal, state, address, port, slot } = dyno
  if (state !== 'up' || address === null || slot === null) return []
  const backend = backendOf(kind, slot)
  return [{ dyno: id, backend, name: `web.${ordinal}:${id}`, address, port }]
}

/**
 * Doubles before it is used up, so that a new app rarely waits for a reload. By what apps do it never shrinks,
 * nor depends on what they wish for: each reload brings the end of somebody's websockets nearer.
 */
export function poolOf({ region, apps }: Pick<RouterFacts, 'region' | 'apps'>): number {
  const slots = apps.reduce(
    (most, { slot }) => Math.max(most, (slot ?? -1) + 1),
    region.slots,
  )
  let size = SMALLEST_POOL
  while (size < slots) size *= 2
  return size
}
