import { createHash } from 'node:crypto'

/** What the database keeps of an API key. Keys are long and random: no salt is needed. */
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
