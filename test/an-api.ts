/** The Platform API over a database, in its own role there, spoken to without a port, as its only account. */

import { randomUUID } from 'node:crypto'

import type { FastifyInstance } from 'fastify'
import { Pool } from 'pg'

import { createAccount } from '../src/actions/create-account.ts'
import { createAuthorization } from '../src/actions/create-authorization.ts'
import { loginAttempts } from '../src/api/login-attempts.ts'
import { type Allowance, rateLimit, USUAL_ALLOWANCE } from '../src/api/rate-limit.ts'
import { resources } from '../src/api/resources.ts'
import { apiServer, type Resource } from '../src/api/server.ts'
import {
  type DataDirectory,
  dataDirectory,
  type Installation,
} from '../src/installation/data-directory.ts'
import { roleOf } from '../src/installation/roles.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import { type Log, silentLog } from '../src/lib/log.ts'
import type { Account } from '../src/model/app.ts'
import { HEROKU_LIMITS, type Limits } from '../src/model/limits.ts'
import type { Reach } from '../src/model/reach.ts'
import { ensureRegion } from '../src/store/ensure-region.ts'
import { type Database, inTransaction } from '../src/store/queryable.ts'
import { secrets } from './an-app.ts'
import { asRole } from './postgres.ts'

export const installation: Installation = {
  id: 'abc123',
  apiPort: 5080,
  domain: 'localhost',
  regions: [
    { name: 'us', httpPort: 8080, httpsPort: 8443, subnet: '172.20.0.0/18' },
    { name: 'eu', httpPort: 8081, httpsPort: 8444, subnet: '172.20.64.0/18' },
  ],
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>
  /** Parsed, and trusted to be what the test is about. */
  readonly body: Json
}

/** JSON as a test reads it: any key may be asked for. */
export interface Json {
  readonly [key: string]: Json & string & number
}

export interface AnApi {
  readonly server: FastifyInstance
  readonly account: Account
  readonly token: string
  /** `call('PATCH /apps/x', { maintenance: true })` */
  readonly call: Call
  /** `call` of whoever has that token; undefined: none. */
  readonly as: (token: string | undefined) => Call
}

export type Call = (
  request: string,
  body?: object,
  headers?: Record<string, string>,
) => Promise<Answer>

export async function anApi(
  pool: Database,
  {
    log = silentLog,
    allowance = {},
    limits = HEROKU_LIMITS,
    clock = systemClock,
    ending = new AbortController().signal,
    reach = { own: [], allowed: [] },
    before = [],
    bodyPatience,
    trustedProxies = [],
    hasDiskRoom = async () => true,
    data = dataDirectory('/nowhere'),
  }: {
    readonly log?: Log
    readonly allowance?: Partial<Allowance>
    readonly limits?: Limits
    readonly clock?: Clock
    readonly ending?: AbortSignal
    /** Of webhooks. */
    readonly reach?: Reach
    /** Registered first. */
    readonly before?: readonly Resource[]
    readonly bodyPatience?: number
    readonly trustedProxies?: readonly string[]
    readonly hasDiskRoom?: () => Promise<boolean>
    readonly data?: DataDirectory
  } = {},
): Promise<AnApi> {
  const token = randomUUID()
  const account = await inTransaction(pool, async (tx) => {
    for (const region of installation.regions) {
      const { name } = region
      await ensureRegion(tx, {
        ...region,
        description: name,
        country: name,
        locale: name,
        domain: 'localhost',
      })
    }
    const owner = await createAccount(tx, { email: 'dev@example.com', name: 'Dev' })
    await createAuthorization(tx, { account: owner, token, description: 'a test' })
    return owner
  })
  const server = await apiServer(
    {
      pool: pool instanceof Pool ? asRole(pool, roleOf('api')) : pool,
      secrets,
      webhooks: { secrets, reach: () => reach },
      clock,
      data,
      installation,
      log,
      rateLimit: rateLimit(systemClock, () => ({ ...USUAL_ALLOWANCE, ...allowance })),
      attempts: loginAttempts(clock),
      trustedProxies: () => trustedProxies,
      ending,
      hasDiskRoom,
      limits: () => limits,
    },
    [...before, ...resources],
    { bodyPatience },
  )

  const as = (bearer: string | undefined): Call => {
    const own = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
    return async (request, body, headers = {}) => {
      const [method = '', url = ''] = request.split(' ')
      const reply = await server.inject({
        method: method as 'GET',
        url,
        ...(body && { payload: body }),
        headers: {
          accept: 'application/vnd.heroku+json; version=3.sdk',
          ...own,
          ...headers,
        },
      })
      return {
        status: reply.statusCode,
        headers: reply.headers,
        body: JSON.parse(reply.body) as Json,
      }
    }
  }
  return { server, account, token, call: as(token), as }
}
