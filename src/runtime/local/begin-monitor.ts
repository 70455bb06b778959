import { join } from 'node:path'

const SCRIPT = join(import.meta.dirname, 'begin-monitor.sh')

export interface Beginning {
  /** The files of cgroups that a process enters by writing its pid. */
  readonly cgroups: readonly string[]
  /** A cgroup2 that crun must not see. */
  readonly hybridMount: string | undefined
  readonly disk?: Disk | undefined
}

/** A file with an ext4 file system, and where to mount it. */
export interface Disk {
  readonly image: string
  readonly at: string
  /** The uid, and gid, of the two directories in it. */
  readonly owner: number
}

/** Begins a command: what follows runs in these cgroups and sees these mounts. */
export function beginMonitor({ cgroups, hybridMount, disk }: Beginning): string[] {
  const { image = '', at = '', owner = '' } = disk ?? {}
  const begin = ['sh', SCRIPT, cgroups.join(' '), hybridMount ?? '']
  const withDisk = [...begin, image, at, String(owner)]
  return disk || hybridMount ? ['unshare', '--mount', ...withDisk] : withDisk
}
