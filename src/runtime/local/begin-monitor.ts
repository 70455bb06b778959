import { join } from 'node:path'

export const SCRIPT = join(import.meta.dirname, 'begin-monitor.pl')

export interface Beginning {
  /** The files of cgroups that a process enters by writing its pid. */
  readonly cgroups: readonly string[]
  /** A cgroup2 that crun must not see. */
  readonly hybridMount: string | undefined
  /** A device that stays whose it is, though it can be used. */
  readonly guarded?: string | undefined
  readonly disks?: readonly Disk[]
  /** After the disks: what lies on one can be mapped. */
  readonly mappings?: readonly Mapping[]
  /** After the mappings: what they mount may be below. */
  readonly overlay?: Overlay | undefined
  readonly network?: Network | NetworkOf | undefined
}

/** The network that a process is in. */
export interface NetworkOf {
  readonly pid: number
  /** Its start, as /proc/<pid>/stat has it: the pid alone may be another's by then. */
  readonly ticks: number
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

/**
 * A directory to mount once more, at `at`, where what is `uid`'s and `gid`'s on disk is `user`'s, and, if
 * `withRoot`, what is root's is root's.
 */
export interface Mapping {
  readonly withRoot: boolean
  readonly source: string
  readonly at: string
  readonly uid: number
  readonly gid: number
  readonly user: number
}

/** Directories, and where they are one. */
export interface Overlay {
  readonly lower: string
  readonly upper: string
  readonly work: string
  readonly at: string
}

/** A network namespace with one end of a link, `eth0`; the other end is the host's. */
export interface Network {
  readonly link: string
  readonly bridge: string
  readonly mtu: number
  readonly address: string
  readonly hardwareAddress: string
  readonly gateway: string
}

/** Begins a command: what follows is in these cgroups, sees these disks, has this network. */
export function beginMonitor(beginning: Beginning): string[] {
  return ['perl', '-w', SCRIPT, ...beginArguments(beginning)]
}

/** What the program that `beginMonitor` runs is told. */
export function beginArguments({
  cgroups,
  hybridMount,
  guarded,
  disks = [],
  mappings = [],
  overlay,
  network,
}: Beginning): string[] {
  const named = disks.flatMap(({ image, at, directories, owner }) => [
    image,
    at,
    directories.join(' '),
    String(owner),
  ])
  const mapped = mappings.flatMap(({ source, at, uid, gid, user, withRoot }) => {
    const owners = [uid, gid].map((id) =>
      [`${id} ${user} 1`, ...(withRoot && id !== 0 ? ['0 0 1'] : [])].join(','),
    )
    return [source, at, ...owners]
  })
  const layers = overlay
    ? [`lowerdir=${overlay.lower},upperdir=${overlay.upper},workdir=${overlay.work}`]
    : []
  const mounts = [
    hybridMount ?? '',
    guarded ?? '',
    named.join('\n'),
    mapped.join('\n'),
    overlay ? [overlay.at, ...layers].join('\n') : '',
  ]
  return [
    process.arch,
    cgroups.join(' '),
    ...mounts,
    network ? networkArgument(network) : '',
  ]
}

function networkArgument(network: Network | NetworkOf): string {
  if ('pid' in network) return `${network.pid} ${network.ticks}`
  const { link, bridge, mtu, address, hardwareAddress, gateway } = network
  return [link, bridge, mtu, address, hardwareAddress, gateway].join(' ')
}
