import { createHash, randomBytes } from 'node:crypto'

/** Of an API key; with them it needs no salt, and no slow hash. */
const BYTES = 32

export function newToken(): string {
  return randomBytes(BYTES).toString('hex')
}

/** What the database keeps of an API key. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** The API key of an `Authorization` header: a bearer token, or the password of Basic. */
export function tokenIn(header: string | undefined): string | undefined {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(header ?? '') ?? []
  return bearer ?? pairIn(header)?.password
}

/** The user of Basic authentication, who is an app to those who enter its dynos. */
export function userIn(header: string | undefined): string | undefined {
  return pairIn(header)?.user
}

/** What Basic authentication gives. */
export function pairIn(
  header: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  const [, credentials] = /^basic +(\S+) *$/i.exec(header ?? '') ?? []
  if (!credentials) return undefined
  const pair = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon < 0) return undefined
  return { user: pair.slice(0, colon), password: pair.slice(colon + 1) }
}
