/** The unprivileged users that the parts run as. They belong to the machine, not to one installation. */

import { readFileSync } from 'node:fs'
import { runProgram } from '../lib/run-program.ts'

/** Whoever comes to the database: every part, and the database. It opens nothing else. */
export const GROUP = 'mayfly'
/** Each has a group of its own name, and whatever is handed to a part is of that group. */
export const USERS = [
  'mayfly-api',
  'mayfly-git',
  'mayfly-logs',
  'mayfly-rendezvous',
] as const
/** Whoever puts source trees where the manager finds them. */
export const SOURCES_GROUP = 'mayfly-sources'
const BRING_SOURCES: readonly string[] = ['mayfly-api', 'mayfly-git']
export const POSTGRES_USER = 'postgres'
/** Reads what dynos send and what anybody answers, and so belongs to no group that may read anything. */
export const RESOLVER_USER = 'mayfly-resolver'
export const NO_GROUP = 'nogroup'
/** Debian's, of HAProxy. */
const ROUTER_USER = 'haproxy'

export async function ensureUsers(): Promise<void> {
  for (const group of [GROUP, ...USERS, SOURCES_GROUP]) {
    if (idOf('/etc/group', group)) continue
    await ensure(['groupadd', '--system', group], () => idOf('/etc/group', group))
  }
  for (const user of [...USERS, RESOLVER_USER]) {
    if (idOf('/etc/passwd', user)) continue
    const manner = [
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
    ]
    const group = user === RESOLVER_USER ? NO_GROUP : GROUP
    await ensure(['useradd', '--system', '--gid', group, ...manner, user], () =>
      idOf('/etc/passwd', user),
    )
  }
}

/** Which a part's user has when it runs. The first is what it makes belongs to. */
export function groupsOf(user: string): readonly [string, ...string[]] {
  return [user, GROUP, ...(BRING_SOURCES.includes(user) ? [SOURCES_GROUP] : [])]
}

export function userId(name: string): number {
  return known(findUserId(name), `user ${name}`)
}

/** Undefined where the machine has no such user. */
export function findUserId(name: string): number | undefined {
  return idOf('/etc/passwd', name)
}

export function groupId(name: string): number {
  return known(idOf('/etc/group', name), `group ${name}`)
}

/** Of root and all users that anything of Mayfly's runs as, dynos aside; of those that the machine has. */
export function ourUids(): ReadonlySet<number> {
  const others = [...USERS, POSTGRES_USER, RESOLVER_USER, ROUTER_USER]
  return new Set([0, ...others.flatMap((it) => idOf('/etc/passwd', it) ?? [])])
}

/** Another installation may be set up at the same moment: what counts is that it is there. */
async function ensure(command: readonly string[], isThere: () => unknown): Promise<void> {
  try {
    await runProgram(command)
  } catch (error) {
    if (!isThere()) throw error
  }
}

function idOf(file: string, name: string): number | undefined {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((it) => it.startsWith(`${name}:`))
  return line === undefined ? undefined : Number(line.split(':')[2])
}

function known(id: number | undefined, what: string): number {
  if (id === undefined) throw new Error(`there is no ${what} on this machine`)
  return id
}
