import type { AccountId, AppId, RegionId, ReleaseId } from './ids.ts'

/** An app that has not been destroyed. */
export interface App {
  readonly id: AppId
  readonly name: string
  readonly owner: Account
  /** The region's name. */
  readonly region: string
  readonly regionId: RegionId
  /** With `httpPort`, of the region: the app answers as http://<name>.<domain>:<httpPort>. */
  readonly domain: string
  readonly httpPort: number
  readonly stack: string
  readonly maintenance: boolean
  readonly currentRelease: ReleaseId | null
  /** Bytes. */
  readonly repoSize: number | null
  /** Bytes; of the current release's slug. */
  readonly slugSize: number | null
  readonly createdAt: Date
  readonly updatedAt: Date
  /** When the app last got a slug. */
  readonly releasedAt: Date | null
}

/** Who did something: as much of an account as a log line and a serialiser need. */
export interface Account {
  readonly id: AccountId
  readonly email: string
}

const NAME = /^[a-z][a-z0-9-]{1,28}[a-z0-9]$/

export function isAppName(name: string): boolean {
  return NAME.test(name)
}

/** `my-app.localhost`: the domain every app has from the start. */
export function defaultDomainOf(app: Pick<App, 'name' | 'domain'>): string {
  return `${app.name}.${app.domain}`
}

export function webUrlOf(app: Pick<App, 'name' | 'domain' | 'httpPort'>): string {
  const port = app.httpPort === 80 ? '' : `:${app.httpPort}`
  return `http://${defaultDomainOf(app)}${port}/`
}
