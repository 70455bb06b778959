/**
 * The cgroup of `up` and of the parts that have none of their own, where it was typed in a login session. systemd ends a
 * session whole, SIGTERM to all, as soon as the kernel has ended anything in it for memory (cgroups of version 2; there is
 * no setting for that in systemd 252), be it somebody's compiler. A service has a cgroup and `OOMPolicy=continue`.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Cgroups, hierarchy, presentCgroups } from '../lib/cgroup-mounts.ts'
import { removeCgroup } from '../lib/remove-cgroup.ts'
import type { Installation } from './data-directory.ts'

/** `own`: what /proc/self/cgroup says. What this process starts from now on is there, too. */
export function leaveSession(
  installation: Installation,
  own = readFileSync('/proc/self/cgroup', 'utf8'),
  cgroups = presentCgroups(),
): void {
  if (cgroups.version !== 2 || !/^0::\/user\.slice\/.*\.scope$/m.test(own)) return
  const directory = directoryOf(installation, cgroups)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'cgroup.procs'), String(process.pid))
}

/** Once nobody is in it; nothing where there is none. */
export async function removeOwnCgroup(
  installation: Installation,
  cgroups = presentCgroups(),
): Promise<void> {
  if (cgroups.version === 2) await removeCgroup(directoryOf(installation, cgroups))
}

function directoryOf({ id }: Installation, cgroups: Cgroups): string {
  return join(hierarchy(cgroups, 'unified'), `mayfly-${id}.up`)
}
