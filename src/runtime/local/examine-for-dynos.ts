/** What this machine must be able to do to run dynos. Root's to ask. */

import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'

import { type Cgroups, presentCgroups } from '../../lib/cgroup-mounts.ts'
import {
  type Finding,
  needed,
  neededPrograms,
  programNamed,
  wished,
} from '../../lib/finding.ts'
import { hardCoreLimit } from '../../lib/hard-file-limit.ts'
import { runProgram } from '../../lib/run-program.ts'
import { hasDisks, knowsFileSystem } from './kernel-knows.ts'
import { anyDropsByPolicy, barredBridges, commandsForDocker } from './other-firewalls.ts'
import { firstPresent } from './region.ts'
import { RESOLV_CONF, resolversIn } from './resolvers.ts'

const PROGRAMS = {
  conmon: 'conmon',
  crun: 'crun',
  ip: 'iproute2',
  'mkfs.ext4': 'e2fsprogs',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  perl: 'perl-base',
}
const NAMESPACES = ['user', 'pid', 'mnt', 'ipc', 'uts', 'net', 'cgroup']
const CONTROLLERS = ['memory', 'cpu', 'pids']
const CORE_PATTERN = '/proc/sys/kernel/core_pattern'
/** Of this machine; whoever listens here listens at all. */
const UNUSUAL_ADDRESS = '127.201.53.7'

/** What dynos' walls are made of, without a dyno. */
const RULES = `table inet mayfly {
  ct timeout dynos { protocol tcp; l3proto ip; policy = { time_wait : 10 }; }
  set held { type ipv4_addr; size 16; flags dynamic; }
  set pace { type ipv4_addr; size 16; flags dynamic,timeout; timeout 10s; }
  chain begun {
    ct timeout set "dynos"
    update @pace { ip saddr limit rate over 1/second } drop
    add @held { ip saddr ct count over 1 } drop
  }
  chain names {
    type filter hook input priority filter
    socket wildcard 0 accept
  }
  chain postrouting {
    type nat hook postrouting priority 100
    masquerade
  }
}
table arp mayfly {
  chain input {
    type filter hook input priority filter
  }
}
`

/** Changes nothing: what must be tried is tried in a network namespace that is gone afterwards. */
export async function examineForDynos(): Promise<readonly Finding[]> {
  return [
    ...neededPrograms(PROGRAMS),
    needed(
      'tini',
      firstPresent('/usr/bin/tini-static', '/usr/bin/tini') !== undefined,
      'The program tini is missing: apt-get install tini.',
    ),
    ...kernelFindings(),
    await userNamespaceFinding(),
    ...cgroupFindings(presentCgroups()),
    coreDumpFinding(textOf(CORE_PATTERN), hardCoreLimit()),
    ...(await networkFindings()),
  ]
}

function kernelFindings(): Finding[] {
  return [
    ...NAMESPACES.map((name) =>
      needed(
        `${name} namespaces`,
        existsSync(`/proc/self/ns/${name}`),
        `The kernel has no ${name} namespaces.`,
      ),
    ),
    needed(
      'overlay',
      knowsFileSystem('overlay'),
      'The kernel has no overlay file system (CONFIG_OVERLAY_FS).',
    ),
    wished(
      'disks',
      hasDisks(),
      'The machine has no loop devices or no ext4: what a dyno or a build writes has no limit.',
    ),
  ]
}

/** By trying: a sysctl, a chroot and a container around us can each forbid them. */
async function userNamespaceFinding(): Promise<Finding> {
  return needed(
    'user namespaces allowed',
    await works(['--user', '--', 'true']),
    'No user namespace can be made: sysctl user.max_user_namespaces must be above 0, and Mayfly cannot run in a chroot or in a container that forbids them.',
  )
}

/** Not /proc/cgroups, which a kernel of version 2 alone need not have. */
export function cgroupFindings({ version, hierarchies }: Cgroups): Finding[] {
  const present =
    version === 2
      ? textOf(`${hierarchies.get('unified')}/cgroup.controllers`)
          .trim()
          .split(' ')
      : [...hierarchies.keys()]
  return CONTROLLERS.map((name) =>
    needed(
      `cgroup ${name}`,
      present.includes(name),
      `The kernel's cgroup controller "${name}" is off or not mounted, so dynos can't be limited.`,
    ),
  )
}

/** `most`: bytes that one may be allowed to have. By a limit of 1 alone the kernel starts no program for it. */
export function coreDumpFinding(pattern: string, most: number): Finding {
  const toSocket = pattern.startsWith('@')
  const toProgram = pattern.startsWith('|') && most < 1
  return wished(
    'core dumps',
    !toSocket && !toProgram,
    `When a dyno's process crashes, another program of this machine is given its memory: ${CORE_PATTERN} names ${
      toSocket
        ? 'a socket, for which the kernel heeds no limit'
        : 'a program, and Mayfly may not set the limit by which the kernel starts none, for its own is 0 (`ulimit -H -c`)'
    }. Have it name a file, and dynos leave none: \`sysctl kernel.core_pattern=core\`.`,
  )
}

async function networkFindings(): Promise<Finding[]> {
  const aside = ['--net', '--']
  const [bridge, veth, nft, rules] = await Promise.all([
    works([...aside, 'ip', 'link', 'add', 'mayfly0', 'type', 'bridge']),
    works([...aside, 'ip', 'link', 'add', 'mayfly0', 'type', 'veth']),
    works([...aside, 'nft', '--file', '-'], RULES),
    runProgram(['nft', 'list', 'ruleset']).catch(() => ''),
  ])
  return [
    needed('bridge', bridge, 'The kernel has no network bridges (CONFIG_BRIDGE).'),
    needed('veth', veth, 'The kernel has no veth devices (CONFIG_VETH).'),
    needed(
      'nftables',
      nft,
      'The kernel lacks part of nftables (CONFIG_NF_TABLES_INET, CONFIG_NF_TABLES_ARP, CONFIG_NFT_CT, CONFIG_NFT_CONNLIMIT, CONFIG_NFT_LIMIT, CONFIG_NFT_MASQ, CONFIG_NFT_SOCKET, CONFIG_NF_CONNTRACK_TIMEOUT).',
    ),
    forwardingFinding(rules, await regionBridges()),
    wished(
      'questions',
      !/hook input [^\n]*policy drop/.test(rules),
      'Another firewall drops packets to this machine (ufw does so): dynos resolve names only once it lets port 53 in from the bridge of each region (`ip -brief link`, mf…). For ufw: `ufw allow in on BRIDGE to any port 53`.',
    ),
    ...(await nameFindings()),
  ]
}

/** Dynos run without names, too. */
async function nameFindings(): Promise<Finding[]> {
  return [
    wished(
      'dnsmasq',
      programNamed('dnsmasq') !== undefined,
      'Dynos cannot resolve names: the program dnsmasq is missing: apt-get install dnsmasq-base.',
    ),
    wished(
      'name servers',
      resolversIn(textOf(RESOLV_CONF)).length > 0,
      `Dynos cannot resolve names: ${RESOLV_CONF} names no name server.`,
    ),
    wished(
      'port 53',
      await isLeftByOthers(53),
      'Dynos cannot resolve names: another program has port 53 of every address of this machine. Have it listen at its own addresses only.',
    ),
  ]
}

/** Whether a program that has it has only some addresses of it. */
function isLeftByOthers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'EADDRINUSE'),
    )
    server.listen({ port, host: UNUSUAL_ADDRESS, exclusive: true }, () =>
      server.close(() => resolve(true)),
    )
  })
}

function forwardingFinding(rules: string, bridges: readonly string[]): Finding {
  const barred = barredBridges(rules, bridges)
  // Before the first `up` there are none, but it is known what will be.
  const concerned = bridges.length > 0 ? barred : ['BRIDGE']
  const commands = concerned.flatMap(commandsForDocker).map((it) => `\`${it}\``)
  return wished(
    'forwarding',
    bridges.length > 0 ? barred.length === 0 : !anyDropsByPolicy(rules),
    `Another firewall drops forwarded packets (Docker does so): dynos reach the internet only once it lets them. For Docker, with the bridge of each region (\`ip -brief link\`, mf…): ${commands.join(' and ')}. It forgets them when the machine restarts.`,
  )
}

async function regionBridges(): Promise<string[]> {
  const links = await runProgram(['ip', '-brief', 'link', 'show', 'type', 'bridge'])
  return links.split('\n').flatMap((line) => /^mf[0-9a-f]{6}\S*/.exec(line) ?? [])
}

async function works(args: readonly string[], input?: string): Promise<boolean> {
  try {
    await runProgram(['unshare', ...args], input === undefined ? {} : { input })
    return true
  } catch {
    return false
  }
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
