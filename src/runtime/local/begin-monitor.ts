import { join } from 'node:path'

const SCRIPT = join(import.meta.dirname, 'begin-monitor.pl')

export interface Beginning {
  /** The files of cgroups that a process enters by writing its pid. */
  readonly cgroups: readonly string[]
  /** A cgroup2 that crun must not see. */
  readonly hybridMount: string | undefined
  /** A device that stays whose it is, though it can be used. */
  readonly guarded?: string | undefined
  readonly disks?: readonly Disk[]
  readonly network?: Network | undefined
}

/** A file with an ext4 file system, and where to mount it. */
export interface Disk {
  readonly image: string
  readonly at: string
  /** Made in it where they are not there. */
  readonly directories: readonly string[]
  /** Their uid, and gid. */
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

/** Begins a command: what follows is in these cgroups, sees these disks, has this network. */
export function beginMonitor({
  cgroups,
  hybridMount,
  guarded,
  disks = [],
  network,
}: Beginning): string[] {
  const named = disks.flatMap(({ image, at, directories, owner }) => [
    image,
    at,
    directories.join(' '),
    String(owner),
  ])
  const { outside = '', inside = '', host = '' } = network ?? {}
  const mounts = [hybridMount ?? '', guarded ?? '', named.join('\n')]
  const command = ['perl', '-w', SCRIPT, process.arch, cgroups.join(' ')]
  return [...command, ...mounts, outside, inside, String(host)]
}
