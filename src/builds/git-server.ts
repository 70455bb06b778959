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
import { scopeAllows } from '../model/scope.ts'
import { digestOf, tokenIn } from '../model/token.ts'
import { accountOfToken, type Bearer } from '../store/accounts.ts'
import { writeAudit } from '../store/audit.ts'
import { findApp } from '../store/apps.ts'
import { standingOn } from '../store/standings.ts'
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

const REPOSITORY_FULL = `The app's repository takes ${REPOSITORY_LIMIT / GiB} GB or more, so that nothing can be pushed to it any more. Push to a new app.\n`
const NOT_PERMITTED = 'You may not deploy this app.\n'
const NOT_IN_SCOPE =
  "This token's scope does not allow that: to push takes write-protected or global, to clone read.\n"
const TOO_OFTEN =
  'Your account reached the rate limit of git. Please wait a few minutes before you push or fetch again.\n'
const FULL = {
  each: [
    429,
    'As many pushes and fetches of your account are under way as may be. Try again when one has ended.\n',
  ],
  all: [503, 'Too many pushes and fetches are under way. Try again in a minute.\n'],
} as const
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
      answer(response, 500, 'Internal error.\n')
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
  // As it came: what is to be made sense of first is no path of ours.
  const [path = '', query] = (request.url ?? '').split('?')
  const [, name, resource] = TARGET.exec(path) ?? []
  const asked = new URLSearchParams(query).get('service')
  const service = resource === 'info/refs' ? asked : resource
  // Without a service it is the dumb protocol, which knows no hooks.
  if (!name || !resource || !service || !services.includes(service)) {
    return answer(response, 404, 'Not found.\n')
  }
  const account = await accountOf(request, deps)
  if (!account) {
    response.setHeader('www-authenticate', 'Basic realm="Mayfly"')
    return answer(response, 401, 'Give the API key as the password.\n')
  }
  if (!deps.requests.take(account.id)) {
    const after = Math.ceil(HOUR / SECOND / (deps.requestsPerHour ?? REQUESTS_PER_HOUR))
    return answerLater(response, { status: 429, after, text: TOO_OFTEN })
  }
  const standing = await standingOn(deps.pool, account.id, name)
  const app = standing && (await findApp(deps.pool, standing.app))
  if (!app) return answer(response, 404, `Couldn't find that app.\n`)
  const write = service === 'git-receive-pack'
  const inScope = scopeAllows(account.scope, write ? PUSHES : CLONES)
  const allowed = inScope && standing.permissions.includes('deploy')
  // A push is two requests; the second one changes something.
  if (write && (!allowed || resource !== 'info/refs')) {
    await writeAudit(deps.pool, {
      account: account.id,
      email: account.email,
      authorization: account.authorization,
      address: addressOf(request),
      request: null,
      method: 'POST',
      route: `/:app.git/${service}`,
      nouns: { app: app.name },
      app: app.id,
      status: allowed ? 200 : 403,
    })
  }
  if (!allowed) return answer(response, 403, inScope ? NOT_PERMITTED : NOT_IN_SCOPE)

  if (write && !(await hasDiskRoom(deps.data.repos))) {
    deps.log.error('a push was turned away', new Error(NO_DISK_ROOM), { app: app.name })
    return answer(response, 503, `${NO_DISK_ROOM}\n`)
  }
  const turn = deps.turns.take(account.id)
  if (typeof turn === 'string') {
    const [status, text] = FULL[turn]
    return answerLater(response, { status, after: TURN_AFTER, text })
  }
  try {
    await ensureRepository(deps.data, app.id)
    if (write && (await isFull(deps.data, app.id, deps.repositoryLimit))) {
      return answer(response, 413, REPOSITORY_FULL)
    }
    await serveByGit({ request, response, app, account, resource }, deps)
  } finally {
    turn()
  }
}

async function accountOf(
  request: IncomingMessage,
  { pool }: GitServerDeps,
): Promise<Bearer | undefined> {
  const token = tokenIn(request.headers.authorization)
  return token === undefined ? undefined : accountOfToken(pool, digestOf(token))
}

/** As the front door says: nobody else comes by the socket. */
function addressOf({ headers }: IncomingMessage): string | null {
  const address = headers['x-forwarded-for']
  return typeof address === 'string' && isIP(address) !== 0 ? address : null
}

/** `after`: how many seconds. */
function answerLater(
  response: ServerResponse,
  {
    status,
    after,
    text,
  }: { readonly status: number; readonly after: number; readonly text: string },
): void {
  response.setHeader('retry-after', String(after))
  answer(response, status, text)
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
}
