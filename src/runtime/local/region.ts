/** A region as the driver knows it: where its things lie and what they are called. */

import { existsSync, readFileSync } from 'node:fs'

import { type Cgroups, presentCgroups } from '../../lib/cgroup-mounts.ts'
import type { Log } from '../../lib/log.ts'
import type { Allowances } from '../../model/allowances.ts'
import type { OciRuntimeName } from '../../model/oci-runtimes.ts'
import { subnetOf } from './address.ts'
import { type DynoCgroups, dynoCgroups } from './cgroups.ts'
import { CompiledFilter } from './compiled-filter.ts'
import { type RegionFiles, regionFiles } from './dyno-files.ts'
import { type MachineNames, machineNames } from './machine-names.ts'
import { MonitorStarter } from './monitor-starter.ts'
import { outwardMtu, type RegionNetwork } from './network.ts'
import { bootId } from './process-status.ts'
import type { DynoId } from '../../model/ids.ts'

/** Of `logs`, and of `rendezvous`. */
const READERS = 'mayfly-logs'
const CLIENTS = 'mayfly-rendezvous'
/** As whom HAProxy runs, of every region. */
const ROUTER = 'haproxy'

export interface LocalRuntimeOptions {
  /** Six hex digits. */
  readonly installation: string
  readonly region: string
  /** Of the region's dynos, as in `172.16.64.0/18`. */
  readonly subnet: string
  /** The data directory: volumes and slugs are found from here. */
  readonly root: string
  readonly stacks: string
  readonly slugs: string
  /** The driver's own directory for this region. Others may not write here. */
  readonly dynos: string
  /** Left out: nothing. */
  readonly allowances?: () => Allowances
  /** The file that names this machine's name servers; left out: /etc/resolv.conf. */
  readonly resolvConf?: string
  /** Which makes the next dyno's container; left out: crun. */
  readonly ociRuntime?: () => OciRuntimeName
  /** How many processes are started inside a dyno and run at once; left out: 50. */
  readonly mostEntries?: number
  /** Milliseconds that such a process may take to begin; left out: 20 seconds. */
  readonly entersWithin?: number
  /** Where the logs of removed dynos go, if it is there. */
  readonly endedLogs: string
  readonly log: Log
}

export interface LocalRegion extends LocalRuntimeOptions {
  readonly files: RegionFiles
  readonly names: MachineNames
  readonly cgroups: Cgroups
  readonly network: RegionNetwork
  /** Of the group that may read what dynos print; undefined where there is none. */
  readonly readers: number | undefined
  /** Of the group that may come to dynos' streams; undefined where there is none. */
  readonly clients: number | undefined
  /** The uid of routers; undefined where there is none. */
  readonly router: number | undefined
  readonly boot: string
  readonly starter: MonitorStarter
  readonly seccompFilter: CompiledFilter
  cgroupsOf(id: DynoId): DynoCgroups
}

export function localRegion(options: LocalRuntimeOptions): LocalRegion {
  const groups = readFileSync('/etc/group', 'utf8')
  const names = machineNames(options.installation, options.region)
  const cgroups = presentCgroups()
  return {
    ...options,
    files: regionFiles(options.dynos),
    names,
    cgroups,
    network: {
      bridge: names.bridge,
      subnet: subnetOf(options.subnet),
      mtu: outwardMtu(),
    },
    readers: idNamed(READERS, groups),
    clients: idNamed(CLIENTS, groups),
    router: idNamed(ROUTER, readFileSync('/etc/passwd', 'utf8')),
    boot: bootId(),
    starter: new MonitorStarter(),
    seccompFilter: new CompiledFilter(),
    cgroupsOf: (id) => dynoCgroups(cgroups, names.cgroup, id),
  }
}

/** A gid or uid; `text` is that of /etc/group or /etc/passwd. */
function idNamed(name: string, text: string): number | undefined {
  const line = text.split('\n').find((it) => it.startsWith(`${name}:`))
  return line ? Number(line.split(':')[2]) : undefined
}

/** The first of these that the machine has. */
export function firstPresent(...paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path))
}
