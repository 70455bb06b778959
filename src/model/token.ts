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
  const [, scheme, credentials] = /^(bearer|basic) +(\S+) *$/i.exec(header ?? '') ?? []
  if (!scheme || !credentials) return undefined
  if (scheme.toLowerCase() === 'bearer') return credentials
  const pair = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return colon < 0 ? undefined : pair.slice(colon + 1)
}
