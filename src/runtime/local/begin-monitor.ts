import { join } from 'node:path'

const SCRIPT = join(import.meta.dirname, 'begin-monitor.pl')

export interface Beginning {
  /** The files of cgroups that a process enters by writing its pid. */
  readonly cgroups: readonly string[]
  /** A cgroup2 that crun must not see. */
  readonly hybridMount: string | undefined
  /** A device that stays whose it is, though it can be used. */
  readonly guarded?: string | undefined
  readonly disk?: Disk | undefined
  readonly network?: Network | undefined
}

/** A file with an ext4 file system, and where to mount it. */
export interface Disk {
  readonly image: string
  readonly at: string
  /** The uid, and gid, of the two directories in it. */
  readonly owner: number
}

/** Lines for `ip -batch`, first in the host's network namespace, then in the new one. */
export interface Network {
  /** `SELF` stands for a process of the new one. */
  readonly outside: string
  readonly inside: string
  /** A process of the host's network namespace. */
  readonly host: number
}

/** Begins a command: what follows is in these cgroups, sees this disk, has this network. */
export function beginMonitor({
  cgroups,
  hybridMount,
  guarded,
  disk,
  network,
}: Beginning): string[] {
  const namedDisk = disk ? [disk.image, disk.at, String(disk.owner)] : ['', '', '']
  const { outside = '', inside = '', host = '' } = network ?? {}
  const mounts = [hybridMount ?? '', guarded ?? '', ...namedDisk]
  const command = ['perl', '-w', SCRIPT, process.arch, cgroups.join(' ')]
  return [...command, ...mounts, outside, inside, String(host)]
}
