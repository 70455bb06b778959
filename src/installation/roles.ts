/**
 * As whom each part comes to the private PostgreSQL: a role of its own, which may do what grants.sql
 * says, and whose name only its own user of the machine may use.
 */

import type { Client } from 'pg'

import { POSTGRES_USER } from './users.ts'

/** Owns the database: migrations and the operator's commands, which run as root, come as it. */
export const OWNER = 'mayfly'

interface PartRole {
  readonly role: string
  /** Of the machine. Root may come as any. */
  readonly user: string
  /** What it runs, below the program's directory. */
  readonly entries: readonly string[]
}

export const PART_ROLES: readonly PartRole[] = [
  { role: 'mayfly_api', user: 'mayfly-api', entries: ['bin/api.ts'] },
  {
    role: 'mayfly_git',
    user: 'mayfly-git',
    entries: ['bin/git.ts', 'bin/pre-receive.ts'],
  },
  { role: 'mayfly_logs', user: 'mayfly-logs', entries: ['bin/logs.ts'] },
  {
    role: 'mayfly_rendezvous',
    user: 'mayfly-rendezvous',
    entries: ['bin/rendezvous.ts'],
  },
  { role: 'mayfly_manager', user: 'root', entries: ['bin/manager.ts'] },
]

/** Of `manager-us`, `mayfly_manager`. */
export function roleOf(part: string): string {
  const role = `mayfly_${part.split('-')[0]}`
  if (!PART_ROLES.some((it) => it.role === role)) throw new Error(`no role for ${part}`)
  return role
}

/** `pg_ident.conf`: who of the machine's users is who in the database. */
export function userMap(): string {
  const all = [OWNER, ...PART_ROLES.map(({ role }) => role), 'postgres']
  const lines = [
    ...all.map((role) => ['root', role]),
    [POSTGRES_USER, 'postgres'],
    ...PART_ROLES.filter(({ user }) => user !== 'root').map((it) => [it.user, it.role]),
  ]
  return lines.map((it) => `mayfly ${it.join(' ')}\n`).join('')
}

/** `pg_hba.conf`: through the socket alone, and by that map. */
export const ENTRANCES = `local ${OWNER} all peer map=mayfly\nlocal all postgres peer map=mayfly\n`

/** `client`: the superuser's. Idempotent. */
export async function ensureRoles(client: Client): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles')
  const known = new Set(rows.map(({ rolname }) => rolname))
  for (const role of [OWNER, ...PART_ROLES.map((it) => it.role)]) {
    if (!known.has(role)) await client.query(`create role ${role} login`)
  }
}
