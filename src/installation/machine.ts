/** What this machine must be able to do, and the sentence for each thing that it can't. */

import { accessSync, constants, existsSync, globSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { Refusal } from './refusal.ts'
import { runProgram } from './run-program.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const PROGRAMS: Readonly<Record<string, string>> = {
  conmon: 'conmon',
  crun: 'crun',
  git: 'git',
  haproxy: 'haproxy',
  ip: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  openssl: 'openssl',
  setpriv: 'util-linux',
  tini: 'tini',
  useradd: 'passwd',
}

const MASQUERADE = `table inet mayfly {
  chain postrouting {
    type nat hook postrouting priority 100
    masquerade
  }
}
`

export interface Finding {
  readonly what: string
  /** Undefined: it is there. */
  readonly lacks: string | undefined
}

/** Changes nothing: what must be tried is tried in a network namespace that is gone afterwards. */
export async function examineMachine(): Promise<readonly Finding[]> {
  const programs = Object.entries(PROGRAMS).map(([program, debian]) =>
    finding(
      program,
      isProgram(program),
      `The program ${program} is missing: apt-get install ${debian}.`,
    ),
  )
  const hasPostgres = globSync('/usr/lib/postgresql/*/bin/postgres').length > 0
  return [
    finding(
      'root',
      process.geteuid?.() === 0,
      'Mayfly must be run by root: it makes namespaces and mounts.',
    ),
    ...programs,
    finding(
      'postgres',
      hasPostgres,
      'There is no PostgreSQL server: apt-get install postgresql.',
    ),
    ...kernelFindings(),
    ...(await networkFindings()),
  ]
}

/** Throws a Refusal with the first thing that is missing. */
export async function machineMustDo(): Promise<void> {
  for (const { lacks } of await examineMachine()) {
    if (lacks !== undefined) throw new Refusal(lacks)
  }
}

function kernelFindings(): Finding[] {
  const fileSystems = textOf('/proc/filesystems')
  const controllers = textOf('/proc/cgroups')
  const hasController = (name: string) =>
    new RegExp(`^${name}\\t.*\\t1$`, 'm').test(controllers)
  return [
    finding(
      'user namespaces',
      Number(textOf('/proc/sys/user/max_user_namespaces')) > 0,
      "The kernel's user namespaces are off: sysctl user.max_user_namespaces must be above 0.",
    ),
    finding(
      'overlay',
      /\toverlay$/m.test(fileSystems) || isModule('overlay'),
      'The kernel has no overlay file system (CONFIG_OVERLAY_FS).',
    ),
    finding(
      'loop devices',
      existsSync('/dev/loop-control') || isModule('loop'),
      'The kernel has no loop devices (CONFIG_BLK_DEV_LOOP), which limit the disk of a dyno.',
    ),
    ...['memory', 'cpu', 'pids'].map((name) =>
      finding(
        `cgroup ${name}`,
        hasController(name),
        `The kernel's cgroup controller "${name}" is off, so dynos can't be limited.`,
      ),
    ),
  ]
}

async function networkFindings(): Promise<Finding[]> {
  const aside = ['unshare', '--net', '--']
  const [bridge, veth, nft] = await Promise.all([
    works([...aside, 'ip', 'link', 'add', 'mayfly0', 'type', 'bridge']),
    works([...aside, 'ip', 'link', 'add', 'mayfly0', 'type', 'veth']),
    works([...aside, 'nft', '--file', '-'], MASQUERADE),
  ])
  return [
    finding('bridge', bridge, 'The kernel has no network bridges (CONFIG_BRIDGE).'),
    finding('veth', veth, 'The kernel has no veth devices (CONFIG_VETH).'),
    finding(
      'nftables',
      nft,
      'The kernel lacks nftables with address translation (CONFIG_NF_TABLES, CONFIG_NFT_MASQ).',
    ),
  ]
}

function finding(what: string, isThere: boolean, lack: string): Finding {
  return { what, lacks: isThere ? undefined : lack }
}

async function works(command: readonly string[], input?: string): Promise<boolean> {
  try {
    await runProgram(command, input)
    return true
  } catch {
    return false
  }
}

function isProgram(name: string): boolean {
  return PATH.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Whether the kernel could load it when it is wanted. */
function isModule(name: string): boolean {
  return globSync(`/lib/modules/*/kernel/**/${name}.ko*`).length > 0
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
