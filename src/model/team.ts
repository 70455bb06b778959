import type { TeamRole } from './access.ts'
import { faultOfName } from './app.ts'

/** The CLI knows a team's apps by it: theirs are owned by `<team>@herokumanager.com`. */
const MANAGER_DOMAIN = 'herokumanager.com'

/** Of the account that a team is. */
export function emailOfTeam(name: string): string {
  return `${name}@${MANAGER_DOMAIN}`
}

export function isEmailOfTeam(email: string): boolean {
  return email.endsWith(`@${MANAGER_DOMAIN}`)
}

/** Words that the API's routes take for themselves: `/teams/apps`. */
const RESERVED = ['apps', 'permissions', 'invitations']

/** What is wrong with a name for a team, in a sentence; undefined if nothing is. */
export function faultOfTeamName(name: string): string | undefined {
  return RESERVED.includes(name) ? `Name ${name} is reserved.` : faultOfName(name)
}

/** What is wrong with a team's new members; undefined if nothing is. */
export function faultOfMembers(
  members: readonly { readonly role: TeamRole }[],
): string | undefined {
  if (members.some((it) => it.role === 'admin')) return undefined
  return 'A team has at least one admin: make somebody else one first.'
}
