/**
 * The directories of an installation, whose they are and who may enter. Everything a part
 * writes is its own; what it hands to another is of that part's group. Whatever is here lies
 * where only root may put something else in its place.
 */

import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import type { DataDirectory, Installation } from './data-directory.ts'
import { GROUP, groupId, POSTGRES_USER, SOURCES_GROUP, userId } from './users.ts'

interface Directory {
  readonly path: string
  readonly user: string
  readonly group: string
  readonly mode: number
}

export function layout(data: DataDirectory, installation: Installation): Directory[] {
  const regions = installation.regions.map((it) => it.name)
  return [
    // Dynos' root file systems lie below, and are mounted in their user namespaces: all may pass.
    ...of('root', 0o711, data.root, data.keys.directory, data.run('')),
    ...of('root', 0o700, data.run('supervisor'), data.programLogs),
    ...regions.flatMap((it) => of('root', 0o700, data.run(`manager-${it}`))),
    ...of('root', 0o711, data.program),
    // Tenants' code: the manager alone reads it, and mounts it where its dynos see it.
    ...of('root', 0o700, data.slugs, data.caches),
    ...of('root', 0o755, data.stacks),
    ...of('root', 0o711, data.router(''), ...regions.map((it) => data.router(it))),
    ...of('mayfly-api', 0o700, data.run('api')),
    ...of('mayfly-git', 0o700, data.repos),
    // The manager moves the logs of ended dynos there.
    ...of('mayfly-logs', 0o700, data.logs, data.endedLogs),
    // Sockets that one serves and another may come to.
    ...between(POSTGRES_USER, GROUP, data.run('postgres')),
    ...between('mayfly-git', 'mayfly-api', data.run('git')),
    ...between('mayfly-logs', 'mayfly-api', data.run('logs')),
    ...between('mayfly-rendezvous', 'mayfly-api', data.run('rendezvous')),
    ...between('mayfly-logs', 'haproxy', dirname(data.recordSocket)),
    // Two put sources there, each its own; neither lists the other's, or has them make way.
    { path: data.sources, user: 'root', group: SOURCES_GROUP, mode: 0o3730 },
    // What dynos print is for `logs` to find. All may pass, as above.
    ...of('root', 0o711, data.dynos('')),
    ...regions.map((it) => ({
      path: data.dynos(it),
      user: 'root',
      group: 'mayfly-logs',
      mode: 0o751,
    })),
  ]
}

export function ensureLayout(data: DataDirectory, installation: Installation): void {
  for (const { path, user, group, mode } of layout(data, installation)) {
    mkdirSync(path, { recursive: true })
    // Changing the owner clears the set-group-id bit, so the mode comes last.
    chownSync(path, userIdOf(user), groupIdOf(group))
    chmodSync(path, mode)
  }
  // What Node is mounted on in the parts' mount namespaces.
  writeFileSync(data.node, '', { mode: 0o644 })
}

const userIdOf = (name: string) => (name === 'root' ? 0 : userId(name))
const groupIdOf = (name: string) => (name === 'root' ? 0 : groupId(name))

/** A part's own, or root's. */
function of(user: string, mode: number, ...paths: string[]): Directory[] {
  return paths.map((path) => ({ path, user, group: user, mode }))
}

/** What `user` makes there is for `group`. */
function between(user: string, group: string, path: string): Directory[] {
  return [{ path, user, group, mode: 0o2750 }]
}
