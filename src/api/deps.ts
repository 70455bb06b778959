import type { DataDirectory, Installation } from '../installation/data-directory.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { Account } from '../model/app.ts'
import type { Limits } from '../model/limits.ts'
import type { Reach } from '../model/reach.ts'
import type { Database } from '../store/queryable.ts'
import type { RateLimit } from './rate-limit.ts'

/** What every resource is given. */
export interface Deps {
  readonly pool: Database
  readonly secrets: SecretBox
  readonly webhooks: {
    /** Their own: what delivers them opens these, and no others. */
    readonly secrets: SecretBox
    /** As it is now. */
    readonly reach: () => Reach
  }
  readonly clock: Clock
  readonly data: DataDirectory
  readonly installation: Installation
  readonly log: Log
  readonly rateLimit: RateLimit
  /** As set now; they may change while the API runs. */
  readonly limits: () => Limits
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token the request carries. Resources that need none must not read it. */
    account: Account
    /** Stands for the token: its digest. */
    tokenDigest: string
  }
  interface FastifyContextConfig {
    /** Answered without a token: health, and URLs that are capabilities themselves. */
    readonly open?: boolean
    /** Whatever version is asked for: it is no part of the Platform API. */
    readonly anyVersion?: boolean
    /** Not counted among the token's requests. */
    readonly free?: boolean
  }
}
