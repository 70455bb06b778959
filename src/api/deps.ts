import type { DataDirectory, Installation } from '../installation/data-directory.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { Permission } from '../model/access.ts'
import type { SourceId } from '../model/ids.ts'
import type { Account } from '../model/app.ts'
import type { Limits } from '../model/limits.ts'
import type { Reach } from '../model/reach.ts'
import type { Scope } from '../model/scope.ts'
import type { AuthorizationId } from '../store/accounts.ts'
import type { Database } from '../store/queryable.ts'
import type { AppStanding } from '../store/standings.ts'
import type { LogIn } from './log-in.ts'
import type { LoginAttempts } from './login-attempts.ts'
import type { RateLimit } from './rate-limit.ts'

/** What every resource is given. */
export interface ApiDeps {
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
  readonly attempts: LoginAttempts
  /** Networks or addresses, as set now: who is believed from where a request comes. */
  readonly trustedProxies: () => readonly string[]
  /** Aborts when the API ends: what would last longer says so, and ends. */
  readonly ending: AbortSignal
  /** Whether the disk has more free than must stay free. */
  readonly hasDiskRoom: () => Promise<boolean>
  /** As set now; they may change while the API runs. */
  readonly limits: () => Limits
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token the request carries. Resources that need none must not read it. */
    account: Account
    /** Of the token: its id, how often it was rotated, and what it is good for. Who comes by a password has no id. */
    authorization: AuthorizationId
    rotations: number
    scope: readonly Scope[]
    /** What the account is to the app of the route; set where there is an `:app`. */
    standing: AppStanding
    /** What stood in the route's places before `authorize` put ids there; for the audit log. */
    asked: Readonly<Record<string, string>> | undefined
    /** The address that it comes from; not `ip`, which is the last proxy's. */
    client: string
    /** What came of a password or a code that the request brought; for the audit log. */
    logIn: LogIn | undefined
    /** Whose upload came by its secret URL; for the audit log. */
    upload: { readonly source: SourceId; readonly account: Account } | undefined
  }
  interface FastifyContextConfig {
    /** Answered without a token: health, and URLs that are capabilities themselves. */
    readonly open?: boolean
    /** Lets in by e-mail address and password, too. */
    readonly passwords?: boolean
    /** Whatever version is asked for: it is no part of the Platform API. */
    readonly anyVersion?: boolean
    /** Not counted among the token's requests. */
    readonly free?: boolean
    /** What a route below an app needs, where it is not what `needOf` says; of a team's, `view` where its handler asks for more. */
    readonly needs?: Permission
    /** Which app the route is about, where no `:app` says so. */
    readonly appOf?: (request: FastifyRequest) => string
    /** An app's secrets come with it; see `showsSecrets`. */
    readonly secrets?: boolean
    /** What it is asked for is kept, in kilobytes: not while the disk is nearly full. */
    readonly keepsMuch?: boolean
    /** Its body is a file: it takes as long as it takes, and its handler sees to it. */
    readonly takesFile?: boolean
  }
}
