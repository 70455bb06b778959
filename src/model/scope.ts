/** What a token is good for. Heroku's scopes; whoever calls needs the permission besides. */

import { isRead, showsSecrets } from './route-needs.ts'

export const SCOPES = [
  'global',
  'identity',
  'read',
  'read-protected',
  'write',
  'write-protected',
] as const
export type Scope = (typeof SCOPES)[number]

export interface Demand {
  /**
   * `identity`: who the account is. `apps`: apps and what belongs to them. `account`: what
   * decides who may do anything at all, as tokens and teams' members.
   */
  readonly area: 'identity' | 'apps' | 'account'
  readonly write: boolean
  /** An app's secrets come with it. */
  readonly isProtected: boolean
}

/** `url`: the route's pattern. */
export function demandOf(
  method: string,
  url: string,
  isProtected: boolean = showsSecrets(method, url),
): Demand {
  const write = !isRead(method)
  return { area: areaOf(url, write), write, isProtected }
}

export function scopeAllows(scopes: readonly Scope[], demand: Demand): boolean {
  if (scopes.includes('global')) return true
  const { area, write } = demand
  if (area === 'account') return false
  if (area === 'identity') return !write && scopes.length > 0
  return enough(demand).some((it) => scopes.includes(it))
}

function enough({ write, isProtected }: Demand): readonly Scope[] {
  if (write) return isProtected ? ['write-protected'] : ['write', 'write-protected']
  return isProtected
    ? ['read-protected', 'write-protected']
    : ['read', 'read-protected', 'write', 'write-protected']
}

function areaOf(url: string, write: boolean): Demand['area'] {
  if (url.startsWith('/oauth/')) return 'account'
  if (/^\/(account|users)\b/.test(url) && !/\/(app-transfers|apps)\b/.test(url)) {
    return 'identity'
  }
  // Who owns an app and who may do what to it is no affair of the app's own.
  const decides =
    /^\/account\/|^\/teams(\/:team\b.*|\/apps\/:app)?$|\/collaborators\b/.test(url)
  return write && decides ? 'account' : 'apps'
}
