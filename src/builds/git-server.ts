/**
 * Git over HTTP for every app: `/<app>.git/…`, by `git http-backend`. Who may deploy the app
 * may push, clone and fetch; what a push does is the hook's to say.
 */

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { isIP } from 'node:net'

import type { Pool } from 'pg'

import type { DataDirectory } from '../installation/data-directory.ts'
import { type Buckets, buckets } from '../lib/buckets.ts'
import { GiB } from '../lib/bytes.ts'
import { type Clock, HOUR, SECOND } from '../lib/clock.ts'
import { hasDiskRoom, NO_DISK_ROOM } from '../lib/disk-room.ts'
import type { Log } from '../lib/log.ts'
import { type PlaceLimits, type Places, places } from '../lib/places.ts'
import type { App } from '../model/app.ts'
import { scopeAllows } from '../model/scope.ts'
import { digestOf, tokenIn } from '../model/token.ts'
import { accountOfToken, type Bearer } from '../store/accounts.ts'
import { writeAudit } from '../store/audit.ts'
import { findApp } from '../store/apps.ts'
import { type AppStanding, standingOn } from '../store/standings.ts'
import { ensureRepository, isFull, REPOSITORY_LIMIT } from './git-repository.ts'
import { serveByGit } from './http-backend.ts'
import { PUSHES } from './may-still-push.ts'

export interface GitServerDeps {
  readonly pool: Pool
  readonly data: DataDirectory
  readonly log: Log
  readonly clock: Clock
  /** The directory that has `pre-receive`. */
  readonly hooks: string
  /** What the hook needs in its environment beside `MAYFLY_APP` and `MAYFLY_ACCOUNT`. */
  readonly hookEnvironment: Readonly<Record<string, string>>
  /** Bytes of an app's repository; as a rule `REPOSITORY_LIMIT`. */
  readonly repositoryLimit?: number
  /** As a rule `USUAL_TURNS`. */
  readonly turnLimits?: PlaceLimits
  /** Of an account; as a rule `REQUESTS_PER_HOUR`. */
  readonly requestsPerHour?: number
}

/** What is kept of who comes. */
interface Bounds {
  readonly requests: Buckets
  readonly turns: Places
}

interface Call {
  /** The app's. */
  readonly name: string
  /** `info/refs`, or the service itself. */
  readonly resource: string
  readonly service: string
  readonly write: boolean
}

/** Whose it is, and the app that it is about, which they may see. */
interface KnownCall extends Call {
  readonly account: Bearer
  readonly app: App
  readonly standing: AppStanding
}

interface Refusal {
  readonly status: number
  readonly text: string
  /** Seconds. */
  readonly after?: number
}

/** Of an account: a push is two, or three where git first asks without a key. The API counts its own. */
const REQUESTS_PER_HOUR = 1800
/**
 * How many requests git answers at once: each is some programs that take memory and a processor
 * beside all dynos, and a push is one as long as its build lasts. Who comes to a full house is
 * told so at once, before anything was sent.
 */
const USUAL_TURNS: PlaceLimits = { ofEach: 6, ofAll: 36 }
/** Seconds: a push lasts as long as its build. */
const TURN_AFTER = 30

const NOT_FOUND: Refusal = { status: 404, text: 'Not found.\n' }
const NO_KEY: Refusal = { status: 401, text: 'Give the API key as the password.\n' }
const NO_APP: Refusal = { status: 404, text: `Couldn't find that app.\n` }
const NOT_PERMITTED: Refusal = { status: 403, text: 'You may not deploy this app.\n' }
const NOT_IN_SCOPE: Refusal = {
  status: 403,
  text: "This token's scope does not allow that: to push takes write-protected or global, to clone read.\n",
}
const TOO_OFTEN =
  'Your account reached the rate limit of git. Please wait a few minutes before you push or fetch again.\n'
const FULL: Record<'each' | 'all', Refusal> = {
  each: {
    status: 429,
    after: TURN_AFTER,
    text: 'As many pushes and fetches of your account are under way as may be. Try again when one has ended.\n',
  },
  all: {
    status: 503,
    after: TURN_AFTER,
    text: 'Too many pushes and fetches are under way. Try again in a minute.\n',
  },
}
const REPOSITORY_FULL: Refusal = {
  status: 413,
  text: `The app's repository takes ${REPOSITORY_LIMIT / GiB} GB or more, so that nothing can be pushed to it any more. Push to a new app.\n`,
}
const FAILED: Refusal = { status: 500, text: 'Internal error.\n' }
const CLONES = { ...PUSHES, write: false, isProtected: false } as const
const services = ['git-receive-pack', 'git-upload-pack']
const TARGET = /^\/([a-z0-9-]+)\.git\/(info\/refs|git-receive-pack|git-upload-pack)$/

export function gitServer(deps: GitServerDeps): Server {
  const { clock, turnLimits = USUAL_TURNS, requestsPerHour = REQUESTS_PER_HOUR } = deps
  const requests = buckets(clock, () => requestsPerHour)
  const bounds = { requests, turns: places(turnLimits) }
  const server = createServer((request, response) => {
    serve(request, response, { ...deps, ...bounds }).catch((error: unknown) => {
      deps.log.error('a git request failed', error, { url: request.url })
      refuse(response, FAILED)
    })
  })
  // A push takes as long as its pack and its build do.
  server.requestTimeout = 0
  return server
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  deps: GitServerDeps & Bounds,
): Promise<void> {
  const call = await callOf(request, deps)
  if (isRefusal(call)) return refuse(response, call)
  const turn = await admit(call, deps)
  try {
    const refusal = isRefusal(turn) ? turn : undefined
    await audit(request, { call, refusal }, deps)
    if (refusal) return refuse(response, refusal)
    const { account, app, resource } = call
    await serveByGit({ request, response, app, account, resource }, deps)
  } finally {
    if (!isRefusal(turn)) turn()
  }
  // Who is answered may come again at once: after git, which ends its answer before itself, and its turn.
  response.end()
}

/** What is asked for, of an app that the caller may see. */
async function callOf(
  request: IncomingMessage,
  deps: GitServerDeps & Bounds,
): Promise<KnownCall | Refusal> {
  const call = callIn(request)
  if (!call) return NOT_FOUND
  const account = await accountOf(request, deps)
  if (!account) return NO_KEY
  if (!deps.requests.take(account.id)) return tooOften(deps)
  const standing = await standingOn(deps.pool, account.id, call.name)
  const app = standing && (await findApp(deps.pool, standing.app))
  return app ? { ...call, account, app, standing } : NO_APP
}

/** Returns what to call at its end where it may be served, and there is room for it. */
async function admit(
  call: KnownCall,
  deps: GitServerDeps & Bounds,
): Promise<(() => void) | Refusal> {
  const refusal = whyForbidden(call) ?? (await whyNoRoom(call, deps))
  if (refusal) return refusal
  const turn = takeTurn(call.account, deps)
  if (isRefusal(turn)) return turn
  const full = await whyFull(call, deps).catch((error: unknown) => {
    turn()
    throw error
  })
  if (full) turn()
  return full ?? turn
}

function callIn({ url = '' }: IncomingMessage): Call | undefined {
  // As it came: what is to be made sense of first is no path of ours.
  const [path = '', query] = url.split('?')
  const [, name, resource] = TARGET.exec(path) ?? []
  const asked = new URLSearchParams(query).get('service')
  const service = resource === 'info/refs' ? asked : resource
  // Without a service it is the dumb protocol, which knows no hooks.
  if (!name || !resource || !service || !services.includes(service)) return undefined
  return { name, resource, service, write: service === 'git-receive-pack' }
}

async function accountOf(
  request: IncomingMessage,
  { pool }: GitServerDeps,
): Promise<Bearer | undefined> {
  const token = tokenIn(request.headers.authorization)
  return token === undefined ? undefined : accountOfToken(pool, digestOf(token))
}

function tooOften({ requestsPerHour = REQUESTS_PER_HOUR }: GitServerDeps): Refusal {
  const after = Math.ceil(HOUR / SECOND / requestsPerHour)
  return { status: 429, after, text: TOO_OFTEN }
}

function whyForbidden({ account, write, standing }: KnownCall): Refusal | undefined {
  if (!scopeAllows(account.scope, write ? PUSHES : CLONES)) return NOT_IN_SCOPE
  return standing.permissions.includes('deploy') ? undefined : NOT_PERMITTED
}

/** Of pushes alone, with what they are answered. One is two requests; the second one changes something. */
async function audit(
  request: IncomingMessage,
  it: { readonly call: KnownCall; readonly refusal: Refusal | undefined },
  { pool }: GitServerDeps,
): Promise<void> {
  const { account, app, resource, service, write } = it.call
  if (!write || (!it.refusal && resource === 'info/refs')) return
  await writeAudit(pool, {
    account: account.id,
    email: account.email,
    authorization: account.authorization,
    address: addressOf(request),
    request: null,
    method: 'POST',
    route: `/:app.git/${service}`,
    nouns: { app: app.name },
    app: app.id,
    status: it.refusal?.status ?? 200,
  })
}

/** As the front door says: nobody else comes by the socket. */
function addressOf({ headers }: IncomingMessage): string | null {
  const address = headers['x-forwarded-for']
  return typeof address === 'string' && isIP(address) !== 0 ? address : null
}

async function whyNoRoom(
  { app, write }: KnownCall,
  { data, log }: GitServerDeps,
): Promise<Refusal | undefined> {
  if (!write || (await hasDiskRoom(data.repos))) return undefined
  log.error('a push was turned away', new Error(NO_DISK_ROOM), { app: app.name })
  return { status: 503, text: `${NO_DISK_ROOM}\n` }
}

/** The app has a repository after that. */
async function whyFull(
  { app, write }: KnownCall,
  { data, repositoryLimit }: GitServerDeps,
): Promise<Refusal | undefined> {
  await ensureRepository(data, app.id)
  const full = write && (await isFull(data, app.id, repositoryLimit))
  return full ? REPOSITORY_FULL : undefined
}

/** Returns what to call at its end. */
function takeTurn(account: Bearer, { turns }: Bounds): (() => void) | Refusal {
  const turn = turns.take(account.id)
  return typeof turn === 'string' ? FULL[turn] : turn
}

function isRefusal(it: KnownCall | (() => void) | Refusal): it is Refusal {
  return 'status' in it
}

function refuse(response: ServerResponse, { status, text, after }: Refusal): void {
  if (response.headersSent) return void response.destroy()
  if (status === 401) response.setHeader('www-authenticate', 'Basic realm="Mayfly"')
  if (after !== undefined) response.setHeader('retry-after', String(after))
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
}
