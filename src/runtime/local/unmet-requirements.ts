/** What this machine lacks to run dynos, a sentence each; for `mayfly doctor`. */

import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { presentCgroups } from './cgroups.ts'
import { presentResolvers } from './resolvers.ts'
import { runProgram } from './run-program.ts'

const PROGRAMS: Readonly<Record<string, string>> = {
  conmon: 'conmon',
  crun: 'crun',
  ip: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  perl: 'perl-base',
}
const DIRECTORIES = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const NAMESPACES = ['user', 'pid', 'mnt', 'ipc', 'uts', 'net', 'cgroup']

/** Empty when all is well. Changes nothing on the machine. */
export async function unmetRequirements(): Promise<readonly string[]> {
  return [
    ...missingPrograms(),
    ...missingKernelFeatures(),
    ...missingCgroups(),
    ...missingResolver(),
    ...(await foreignFirewall()),
  ]
}

function missingPrograms(): string[] {
  const missing = Object.entries(PROGRAMS)
    .filter(([program]) => !isInstalled(program))
    .map(([program, name]) => `The program ${program} is missing; install ${name}.`)
  const init = ['/usr/bin/tini-static', '/usr/bin/tini'].some((it) => existsSync(it))
  return init ? missing : [...missing, 'The program tini is missing; install tini.']
}

function isInstalled(program: string): boolean {
  return DIRECTORIES.split(delimiter).some((it) => existsSync(join(it, program)))
}

function missingKernelFeatures(): string[] {
  if (process.getuid?.() !== 0) return ['Dynos can be run by root only.']
  const missing = NAMESPACES.filter((name) => !existsSync(`/proc/self/ns/${name}`)).map(
    (name) => `The kernel has no ${name} namespaces.`,
  )
  const most = '/proc/sys/user/max_user_namespaces'
  if (existsSync(most) && Number(readFileSync(most, 'utf8')) === 0) {
    missing.push('User namespaces are switched off: raise user.max_user_namespaces.')
  }
  if (!knowsFileSystem('overlay')) missing.push('The kernel has no overlay file system.')
  if (!existsSync('/dev/loop-control') || !knowsFileSystem('ext4')) {
    missing.push(
      'The machine has no loop devices or no ext4: what a dyno writes at /app has no limit.',
    )
  }
  return missing
}

/** A module that is not loaded yet is not listed: then modprobe is what crun's mount asks. */
function knowsFileSystem(name: string): boolean {
  const known = readFileSync('/proc/filesystems', 'utf8')
  return known.split('\n').some((line) => line.endsWith(`\t${name}`)) || hasModules()
}

function hasModules(): boolean {
  return existsSync('/proc/modules') && existsSync('/lib/modules')
}

function missingCgroups(): string[] {
  const { version, hierarchies } = presentCgroups()
  if (version === 2) {
    const file = '/sys/fs/cgroup/cgroup.controllers'
    const controllers = readFileSync(file, 'utf8').trim().split(' ')
    return ['cpu', 'memory', 'pids']
      .filter((name) => !controllers.includes(name))
      .map((name) => `The cgroup controller ${name} is not available.`)
  }
  return ['cpu', 'memory', 'pids']
    .filter((name) => !hierarchies.has(name))
    .map((name) => `No cgroup hierarchy with the controller ${name} is mounted.`)
}

function missingResolver(): string[] {
  if (presentResolvers().addresses.length > 0) return []
  return [
    'Dynos cannot resolve names: /etc/resolv.conf names no IPv4 name server beyond this machine itself.',
  ]
}

/** Another table's verdict to drop cannot be overruled by ours. */
async function foreignFirewall(): Promise<string[]> {
  const rules = await runProgram('nft', ['list', 'ruleset']).catch(() => '')
  if (!/hook forward [^\n]*policy drop/.test(rules)) return []
  return [
    'Another firewall drops forwarded packets (Docker does so): dynos reach the internet only once it lets them, as with `iptables -I DOCKER-USER -j ACCEPT`.',
  ]
}
