import type { AccountId, AppId, RegionId, ReleaseId, TeamId } from './ids.ts'

/** An app that has not been destroyed. */
export interface App {
  readonly id: AppId
  readonly name: string
  readonly owner: Account
  /** The owner, where that is a team. */
  readonly team: { readonly id: TeamId; readonly name: string } | null
  /** Of a team's app: members have no more than they were given. */
  readonly locked: boolean
  /** The region's name. */
  readonly region: string
  readonly regionId: RegionId
  /** With `httpPort`, of the region: the app answers as http://<name>.<domain>:<httpPort>. */
  readonly domain: string
  readonly httpPort: number
  readonly stack: string
  readonly maintenance: boolean
  /** Whether its custom domains get certificates by themselves. */
  readonly acm: boolean
  readonly currentRelease: ReleaseId | null
  /** Bytes. */
  readonly repoSize: number | null
  /** Bytes; of the current release's slug. */
  readonly slugSize: number | null
  /** `Node.js`: what the buildpack of the current slug took the app for. */
  readonly buildpackProvidedDescription: string | null
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

/** What is wrong with an account's address, in a sentence; undefined if nothing is. */
export function faultOfEmail(email: string): string | undefined {
  if (/^[^\s@]{1,64}@[^\s@]{1,255}$/.test(email)) return undefined
  return `${email} is no e-mail address.`
}

const SHORTEST_NAME = 3
const LONGEST_NAME = 30

/** What is wrong with a name for an app, in a sentence; undefined if nothing is. */
export function faultOfName(name: string): string | undefined {
  if (name.length < SHORTEST_NAME) {
    return `Name is too short (minimum is ${SHORTEST_NAME} characters).`
  }
  if (name.length > LONGEST_NAME) {
    return `Name is too long (maximum is ${LONGEST_NAME} characters).`
  }
  if (!/^[a-z][a-z0-9-]*[a-z0-9]$/.test(name)) {
    return 'Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and dashes.'
  }
  return undefined
}

/** `my-app.localhost`: the domain every app has from the start. */
export function defaultDomainOf(app: Pick<App, 'name' | 'domain'>): string {
  return `${app.name}.${app.domain}`
}

export function webUrlOf(app: Pick<App, 'name' | 'domain' | 'httpPort'>): string {
  const port = app.httpPort === 80 ? '' : `:${app.httpPort}`
  return `http://${defaultDomainOf(app)}${port}/`
}
