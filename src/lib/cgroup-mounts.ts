/** Where the machine has its cgroups, and of which kind they are. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Cgroups {
  readonly version: 1 | 2
  /** Where a cgroup2 is mounted beside version 1: crun must not see it. */
  readonly hybridMount: string | undefined
  /** By controller, `name=systemd` and, where hybrid, `unified` included. */
  readonly hierarchies: ReadonlyMap<string, string>
  /** Whether a limit on swap can be set. */
  readonly limitsSwap: boolean
}

/** `mounts`: the text of /proc/mounts. */
export function cgroupsOf(mounts: string): Cgroups {
  const all = mounts.split('\n').map((line) => line.split(' '))
  const whole = all.find(([, at, type]) => type === 'cgroup2' && at === '/sys/fs/cgroup')
  if (whole) {
    const hierarchies = new Map([['unified', '/sys/fs/cgroup']])
    return { version: 2, hybridMount: undefined, hierarchies, limitsSwap: true }
  }
  const hierarchies = new Map<string, string>()
  // The first of them is the machine's own: others are copies, which come and go with a chroot that has a /sys.
  for (const [, at = '', type, options = ''] of all.toReversed()) {
    if (type === 'cgroup2') hierarchies.set('unified', at)
    if (type !== 'cgroup') continue
    for (const option of options.split(',')) {
      if (option.startsWith('name=') || at.split(/[/,]/).includes(option)) {
        hierarchies.set(option, at)
      }
    }
  }
  const memory = hierarchies.get('memory') ?? ''
  const limitsSwap = existsSync(join(memory, 'memory.memsw.limit_in_bytes'))
  return { version: 1, hybridMount: hierarchies.get('unified'), hierarchies, limitsSwap }
}

export function presentCgroups(): Cgroups {
  return cgroupsOf(readFileSync('/proc/mounts', 'utf8'))
}

/** Where a controller's is. */
export function hierarchy({ version, hierarchies }: Cgroups, controller: string): string {
  const at = hierarchies.get(version === 2 ? 'unified' : controller)
  if (!at) throw new Error(`the machine has no cgroup hierarchy for ${controller}`)
  return at
}
