/** The OCI configuration of a dyno: what it sees, what it may, what it runs. */

import { join } from 'node:path'

import { MiB } from '../../lib/bytes.ts'
import type { DynoSpec, Entry, Terminal } from '../runtime.ts'
import { DYNO_UID, firstUidOf, UIDS_PER_DYNO } from './address.ts'
import type { CompiledFilter } from './compiled-filter.ts'
import type { DynoFiles } from './dyno-files.ts'
import {
  MACHINE_COMMAND,
  MACHINE_SIGNALS,
  machineEnvironment,
  MACHINES_ROOT,
  SIZE,
} from './machine.ts'
import { SIGNALS, TERMINALS } from './machine-tables.ts'
import type { seccompProfile } from './seccomp.ts'

const PAGE = 4096
const CPU_PERIOD = 100_000
/**
 * Bytes. One writes no file, for that has a page at least; and where /proc/sys/kernel/core_pattern names a program
 * instead, the kernel starts it for every limit but this one, 0 included: as root, outside of the dyno's limits,
 * with the dyno's memory to read. No dyno changes it: see `seccompProfile`.
 */
const NO_CORE_DUMP = [1, 1] as const
/** Where every stack has a file for it. */
export const INIT = '/sbin/mayfly-init'
const SHELL = '/bin/bash'
/** Lies under /app's overlay as its lower layer, and is covered again at once. */
export const SLUG = '/slug'

/**
 * A dyno's standard input, where it has no client, is a pipe that nobody writes to: crun
 * gives whatever it is to the dyno's user, and were it /dev/null, that would be the host's own.
 */
const NO_INPUT = 'exec </dev/null\n'

/** Left out, it would be a new one. */
const HERE = { type: 'network', path: '/proc/self/ns/net' }

/**
 * What /proc tells of the machine and not of the dyno, as Docker, containerd and podman cover it. What they
 * cover of /sys is not there: a dyno's is empty, or gVisor's own.
 */
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
]
const READ_ONLY = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]

/** Runs in the dyno before its command, and becomes it. */
const PROFILE = `shopt -s nullglob
for file in /app/.profile.d/*.sh; do . "$file"; done
shopt -u nullglob
unset file
if [ -f /app/.profile ]; then . /app/.profile; fi
exec ${SHELL} -c "$1"`

export interface DynoSurroundings {
  readonly files: DynoFiles
  readonly rootfs: string
  readonly init: string
  readonly resolvConf: string
  /** The host's certificate authorities, seen by the dyno instead of the stack's. */
  readonly authorities: string | undefined
  readonly cgroup: string
  readonly limitsSwap: boolean
  /** How many files a process of the manager's may have open. */
  readonly mostFiles: number
  /** How large a core dump of one may be. */
  readonly mostCore: number
  readonly seccomp: ReturnType<typeof seccompProfile>
  /** Undefined: the OCI runtime compiles it itself. */
  readonly seccompFilter: CompiledFilter | undefined
  readonly slug: OwnedPath | undefined
  /** Whether there may be scripts in /app that run before the command. */
  readonly hasProfile: boolean
  readonly volumes: readonly OwnedVolume[]
  /** See `OciRuntime`. */
  readonly isKernel: boolean
  readonly isMachine: boolean
}

/** A path of the host and whose it is on disk; in the dyno it is the dyno's user's. */
export interface OwnedPath {
  /** What is there is mapped already. */
  readonly isMapped?: boolean
  readonly source: string
  readonly uid: number
  readonly gid: number
}

export interface OwnedVolume extends OwnedPath {
  readonly at: string
  readonly writable: boolean
}

export type OciConfig = ReturnType<typeof ociConfig>

export function ociConfig(dyno: DynoSpec, around: DynoSurroundings) {
  const firstUid = firstUidOf(dyno.address)
  const mapping = [{ containerID: 0, hostID: firstUid, size: UIDS_PER_DYNO }]
  const { size } = dyno
  const { annotations = {}, seccomp = around.seccomp } =
    around.seccompFilter?.configured(around.seccomp) ?? {}
  const { isKernel, isMachine, mostFiles, mostCore } = around
  const user = firstUid + DYNO_UID
  const hasUsers = isKernel || isMachine
  const environment = isMachine ? machineEnvironment(dyno) : dyno.environment
  return {
    ociVersion: '1.0.2',
    annotations: isMachine ? MACHINES_ROOT : annotations,
    process: {
      ...ociProcess(environment, dyno.attachment?.terminal),
      ...(isMachine ? { user: { uid: user, gid: user, umask: 0o022 } } : {}),
      rlimits: [
        // More than it may have itself a manager cannot give.
        // Of a machine it is what its monitor may: one for each file that its kernel knows.
        isMachine
          ? limitOf('RLIMIT_NOFILE', [mostFiles, mostFiles])
          : limitOf('RLIMIT_NOFILE', [size.openFiles, size.hardOpenFiles], mostFiles),
        limitOf('RLIMIT_CORE', NO_CORE_DUMP, mostCore),
      ],
      // gVisor has no list of processes to send a signal to: PID 1 passes it on to them.
      // A machine's is told what to run by a file.
      args: isMachine
        ? [INIT, process.arch, String(user)]
        : [INIT, ...(isKernel ? ['-g'] : []), '--', ...commandOf(dyno, around)],
    },
    root: { path: around.rootfs, readonly: true },
    hostname: dyno.id,
    mounts: mounts(dyno, around, firstUid),
    linux: {
      ...(hasUsers ? {} : { uidMappings: mapping, gidMappings: mapping }),
      namespaces: [
        // Not network: the OCI runtime is in the dyno's already.
        ...(around.isKernel ? [HERE] : []),
        // krun cannot read its own files in one. A machine's monitor is the dyno's user, and nobody else's.
        ...(hasUsers ? [] : [{ type: 'user' }]),
        { type: 'pid' },
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'cgroup' },
      ],
      cgroupsPath: around.cgroup,
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: {
          limit: size.hardMemory,
          ...(around.limitsSwap ? { swap: size.hardMemory } : {}),
        },
        pids: { limit: size.processes },
        cpu: { period: CPU_PERIOD },
      },
      seccomp,
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
    },
  }
}

/**
 * A process to be started inside the running dyno whose own configuration is `config`. How many signals
 * the dyno's own may have queued is not in there: see `start-dyno.ts`.
 */
export function entryProcess(
  { command, environment, terminal }: Entry,
  config: OciConfig,
) {
  const rlimits = [
    ...config.process.rlimits,
    limitOf('RLIMIT_SIGPENDING', [SIGNALS, SIGNALS]),
  ]
  return { ...ociProcess(environment, terminal), rlimits, args: shell(command, '', true) }
}

function limitOf(
  type: string,
  [soft, hard]: readonly [number, number],
  most = Number.MAX_SAFE_INTEGER,
) {
  return { type, soft: Math.min(soft, most), hard: Math.min(hard, most) }
}

function ociProcess(
  environment: Readonly<Record<string, string>>,
  terminal: Terminal | undefined,
) {
  const size = terminal && { height: terminal.rows, width: terminal.columns }
  return {
    terminal: terminal !== undefined,
    ...(size ? { consoleSize: size } : {}),
    user: { uid: DYNO_UID, gid: DYNO_UID, umask: 0o022 },
    env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    cwd: '/app',
    capabilities: noCapabilities(),
    noNewPrivileges: true,
  }
}

/** What the dyno's first program runs. */
export function commandOf(
  { command, attachment }: Pick<DynoSpec, 'command' | 'attachment'>,
  { hasProfile }: Pick<DynoSurroundings, 'hasProfile'>,
): readonly string[] {
  return shell(command, attachment ? '' : NO_INPUT, hasProfile)
}

/**
 * To start the shell a second time costs as much as to start the app: not where there are no
 * scripts to keep apart from the command.
 */
function shell(command: string, before: string, hasProfile: boolean): readonly string[] {
  if (!hasProfile) return [SHELL, '-c', before + command]
  return [SHELL, '-c', before + PROFILE, 'bash', command]
}

/** `/etc/hosts` of a dyno. */
export function hostsFile(dyno: Pick<DynoSpec, 'id' | 'address'>): string {
  return `127.0.0.1 localhost\n::1 localhost\n${dyno.address} ${dyno.id}\n`
}

function mounts(dyno: DynoSpec, around: DynoSurroundings, firstUid: number) {
  const user = firstUid + DYNO_UID
  const scratch = Math.floor(dyno.size.hardMemory / 2)
  /** Anyone's in the dyno to write to. An empty file takes memory, too: gVisor's is the dyno's, and counted as such. */
  const shared = (at: string, bytes: number, options: readonly string[]) =>
    tmpfs(at, bytes, '1777', [
      ...options,
      ...(around.isKernel ? [] : [`nr_inodes=${Math.floor(bytes / PAGE)}`]),
    ])
  const filesOfOurs = [
    bound(INIT, around.init),
    bound('/etc/resolv.conf', around.resolvConf),
    bound('/etc/hosts', around.files.hosts),
  ]
  if (dyno.metadata !== undefined) {
    filesOfOurs.push(bound('/etc/heroku/dyno', around.files.metadata))
  }
  if (around.isMachine) {
    filesOfOurs.push(
      bound(join('/', SIZE), around.files.machineSize),
      bound(join('/', MACHINE_COMMAND), around.files.machineCommand),
      bound(join('/', MACHINE_SIGNALS), around.files.signals),
    )
  }
  if (around.authorities) {
    filesOfOurs.push(bound('/etc/ssl/certs/ca-certificates.crt', around.authorities))
  }
  return [
    {
      destination: '/proc',
      type: 'proc',
      source: 'proc',
      options: ['nosuid', 'nodev', 'noexec'],
    },
    tmpfs('/dev', 64 * 1024, '0755', ['nosuid', 'strictatime']),
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        ...(around.isKernel ? [] : [`max=${TERMINALS}`]),
      ],
    },
    shared('/dev/shm', 64 * MiB, ['nosuid', 'nodev', 'noexec']),
    // Nothing of the host's: a sysfs of one's own takes a network namespace of one's own making.
    // gVisor's is its own.
    ...(around.isKernel
      ? []
      : [tmpfs('/sys', 4096, '0755', ['ro', 'nosuid', 'nodev', 'noexec'])]),
    shared('/tmp', scratch, ['nosuid', 'nodev']),
    shared('/var/tmp', scratch, ['nosuid', 'nodev']),
    ...filesOfOurs,
    ...appMounts(around, user),
    ...around.volumes.map((volume) =>
      owned(volume.at, volume, user, volume.writable ? 'rw' : 'ro'),
    ),
  ]
}

/** OCI runtimes mount before they change the root, so the slug's path is still the host's. */
function appMounts({ files, rootfs, slug, isKernel }: DynoSurroundings, user: number) {
  if (isKernel) {
    // Made of its layers already.
    const options = ['rbind', 'rw', 'nosuid', 'nodev']
    return [{ destination: '/app', type: 'bind', source: files.app, options }]
  }
  const layers = [`upperdir=${files.upper}`, `workdir=${files.work}`]
  const lower = `lowerdir=${join(rootfs, SLUG)}`
  const overlay = {
    destination: '/app',
    type: 'overlay',
    source: 'overlay',
    options: ['nosuid', 'nodev', lower, ...layers],
  }
  if (!slug) return [overlay]
  return [
    owned(SLUG, slug, user, 'ro'),
    overlay,
    tmpfs(SLUG, 4096, '0', ['ro', 'nosuid', 'nodev']),
  ]
}

function bound(destination: string, source: string) {
  const options = ['bind', 'ro', 'nosuid', 'nodev']
  return { destination, type: 'bind', source, options }
}

/** In a mapping of a mount, `containerID` is the owner on disk. */
function owned(
  destination: string,
  { source, uid, gid, isMapped }: OwnedPath,
  user: number,
  access: 'ro' | 'rw',
) {
  const options = ['rbind', access, 'nosuid', 'nodev']
  if (isMapped) return { destination, type: 'bind', source, options }
  return {
    destination,
    type: 'bind',
    source,
    options: [...options, 'idmap'],
    uidMappings: [{ containerID: uid, hostID: user, size: 1 }],
    gidMappings: [{ containerID: gid, hostID: user, size: 1 }],
  }
}

function tmpfs(
  destination: string,
  bytes: number,
  mode: string,
  options: readonly string[],
) {
  return {
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...options, `mode=${mode}`, `size=${bytes}`],
  }
}

function noCapabilities() {
  return { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] }
}
