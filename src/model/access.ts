/** Who may do what to an app. Heroku's four permissions; none of them implies another. */

export const PERMISSIONS = ['view', 'deploy', 'operate', 'manage'] as const
export type Permission = (typeof PERMISSIONS)[number]

export const TEAM_ROLES = ['admin', 'member', 'collaborator'] as const
export type TeamRole = (typeof TEAM_ROLES)[number]

export type Role = 'owner' | TeamRole

/** How an account and an app are related. */
export interface Relation {
  readonly isOwner: boolean
  /** Whether a team owns the app; `teamRole` is the account's in it. */
  readonly ofTeam: boolean
  readonly teamRole: TeamRole | null
  /** What the account was given as the app's collaborator. */
  readonly granted: readonly Permission[] | null
  readonly locked: boolean
}

/** What an account is to an app that it may at least know of. */
export interface Standing {
  readonly role: Role
  readonly permissions: readonly Permission[]
}

/** What a collaborator of a personal app, and a member on a team's unlocked one, may do. */
export const ORDINARY: readonly Permission[] = ['view', 'deploy', 'operate']

/** Undefined where the account must not learn that there is such an app. */
export function standingOf(relation: Relation): Standing | undefined {
  const { isOwner, ofTeam, teamRole, granted, locked } = relation
  if (isOwner) return { role: 'owner', permissions: PERMISSIONS }
  if (!ofTeam)
    return granted ? { role: 'collaborator', permissions: ORDINARY } : undefined
  if (teamRole === 'admin') return { role: 'admin', permissions: PERMISSIONS }
  if (teamRole === 'member') {
    const given = new Set([...(locked ? [] : ORDINARY), ...(granted ?? [])])
    return { role: 'member', permissions: PERMISSIONS.filter((it) => given.has(it)) }
  }
  return granted ? { role: 'collaborator', permissions: granted } : undefined
}

/** Of the words of a request: those that are permissions, each once, and `view` with them. */
export function withView(permissions: readonly Permission[]): readonly Permission[] {
  return PERMISSIONS.filter((it) => it === 'view' || permissions.includes(it))
}
