/**
 * The directories of an installation, whose they are and who may enter. Everything a part
 * writes is its own; what parts hand one another belongs to the group `mayfly`.
 */

import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import type { DataDirectory, Installation } from './data-directory.ts'
import { GROUP, groupId, POSTGRES_USER, userId } from './users.ts'

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
    ...of('root', 0o700, data.run('supervisor')),
    ...of(POSTGRES_USER, 0o2750, data.run('postgres')),
    ...of('mayfly-api', 0o2750, data.run('api')),
    ...of('mayfly-rendezvous', 0o2750, data.run('rendezvous')),
    ...of('mayfly-git', 0o2750, data.run('git'), data.repos),
    ...of('mayfly-logs', 0o2750, data.run('logs'), data.logs),
    // HAProxy's own user sends records of requests there, and nobody else may.
    {
      path: dirname(data.recordSocket),
      user: 'mayfly-logs',
      group: 'haproxy',
      mode: 0o2750,
    },
    ...of('mayfly-logs', 0o2770, data.endedLogs),
    ...regions.flatMap((it) => of('root', 0o700, data.run(`manager-${it}`))),
    ...shared(0o750, data.programLogs),
    ...shared(0o3771, data.sources),
    ...of('root', 0o711, data.program),
    // Tenants' code: the manager alone reads it, and mounts it where its dynos see it.
    ...of('root', 0o700, data.slugs, data.caches),
    ...of('root', 0o755, data.stacks),
    ...shared(0o751, data.dynos(''), ...regions.map((it) => data.dynos(it))),
    ...shared(0o751, data.router(''), ...regions.map((it) => data.router(it))),
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
  return paths.map((path) => ({
    path,
    user,
    group: user === 'root' ? 'root' : GROUP,
    mode,
  }))
}

function shared(mode: number, ...paths: string[]): Directory[] {
  return paths.map((path) => ({ path, user: 'root', group: GROUP, mode }))
}
