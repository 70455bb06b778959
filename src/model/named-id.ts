import { createHash } from 'node:crypto'

/**
 * The id of what has no row of its own (a stack, a dyno size, an app's default domain): the
 * same UUID for the same name, on every installation.
 */
export function namedId(kind: string, name: string): string {
  const hash = createHash('sha256').update(`${kind}\0${name}`).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
