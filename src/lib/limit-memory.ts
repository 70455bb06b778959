import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Cgroups, hierarchy } from './cgroup-mounts.ts'

/**
 * `cgroup`: relative to each hierarchy; `bytes`: what those in it may have of memory, and none of it in
 * swap: where there is swap, a bound of memory alone is none of what they take.
 */
export function limitMemory(cgroups: Cgroups, cgroup: string, bytes: number): void {
  const at = join(hierarchy(cgroups, 'memory'), cgroup)
  if (cgroups.version === 1) {
    writeFileSync(join(at, 'memory.limit_in_bytes'), String(bytes))
    const withSwap = join(at, 'memory.memsw.limit_in_bytes')
    if (cgroups.limitsSwap) writeFileSync(withSwap, String(bytes))
    return
  }
  writeFileSync(join(at, 'memory.max'), String(bytes))
  // Not where the kernel counts no swap.
  const swap = join(at, 'memory.swap.max')
  if (existsSync(swap)) writeFileSync(swap, '0')
}
