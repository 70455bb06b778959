/** The names of everything the driver puts on the machine; each carries the installation. */

import { createHash } from 'node:crypto'

import { numberOf } from '../../lib/ipv4.ts'

const LONGEST_LINK_NAME = 15

export interface MachineNames {
  readonly bridge: string
  /** Of family inet. */
  readonly firewallTable: string
  /** Relative to each hierarchy, without a leading slash. */
  readonly cgroup: string
  link(address: string): string
}

/** `installation`: its six hex digits. */
export function machineNames(installation: string, region: string): MachineNames {
  return {
    bridge: `mf${installation}${shortened(region, LONGEST_LINK_NAME - 8)}`,
    firewallTable: `mayfly_${installation}_${region.replaceAll(/[^a-z0-9]/g, '_')}`,
    cgroup: `mayfly-${installation}/${region}`,
    link: (address) => `mv${installation}${(numberOf(address) & 0xfffff).toString(16)}`,
  }
}

/** Itself where it fits; else a digest of it, so that no two regions share a name. */
function shortened(region: string, length: number): string {
  if (region.length <= length) return region
  return createHash('sha256').update(region).digest('hex').slice(0, length)
}
