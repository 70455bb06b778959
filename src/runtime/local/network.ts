/**
 * A bridge per region; per dyno a network namespace with one end of a link to it. The
 * namespace has no name: it is the monitor's and the dyno's, and ends, with the link, when
 * they do.
 */

import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'

import { pause } from '../../lib/clock.ts'
import { runProgram } from '../../lib/run-program.ts'
import { hardwareAddressOf, type Subnet } from './address.ts'
import type { Network } from './begin-monitor.ts'

const USUAL_MTU = 1500
export const FORWARDING = '/proc/sys/net/ipv4/ip_forward'
/**
 * Network namespaces made from now on get a table of connections of their own. To see who
 * listens in one the kernel goes through all of its table: the machine's shared one, with a
 * quarter of a million places, takes it 4 ms, and we look at each web dyno.
 */
const CHILD_CONNECTION_TABLE = '/proc/sys/net/ipv4/tcp_child_ehash_entries'
const CONNECTION_TABLE_SIZE = '1024'
const LINK_GOES_WITHIN = 200
const LOOK_EVERY = 2

/** Settings of a region's bridge, and of a dyno's port of it, as ip(8) calls them. */
export const BRIDGE = { stp_state: 0 } as const
/**
 * It takes frames from its own hardware address only (`locked`, since Linux 5.16), learns no other, and
 * gets those for its own only. The first four begin-monitor.pl sets, too; the others a new port has.
 */
export const PORT = {
  isolated: true,
  locked: true,
  learning: false,
  flood: false,
  bcast_flood: true,
  hairpin: false,
  neigh_suppress: false,
  proxy_arp: false,
} as const

export interface DynoNetwork {
  /** The host's end. */
  readonly link: string
  readonly address: string
}

export interface RegionNetwork {
  readonly bridge: string
  readonly subnet: Subnet
  readonly mtu: number
}

export function dynoNetwork(region: RegionNetwork, dyno: DynoNetwork): Network {
  const { bridge, mtu, subnet } = region
  const hardwareAddress = hardwareAddressOf(dyno.address)
  return { ...dyno, hardwareAddress, bridge, mtu, gateway: subnet.gateway }
}

/** For `ip -batch`. */
function joinLines(bridge: string, { link }: DynoNetwork): string {
  const settings = Object.entries(PORT).map(([it, is]) => `${it} ${is ? 'on' : 'off'}`)
  return `link set ${link} master ${bridge} up
link set ${link} type bridge_slave ${settings.join(' ')}`
}

/** For `bridge -batch`. */
function knowLine({ link, address }: DynoNetwork): string {
  return `fdb replace ${hardwareAddressOf(address)} dev ${link} master static`
}

/** Its dyno has ended, and the kernel is about to remove the link; see that it has. */
export async function removeLink(link: string): Promise<void> {
  const started = performance.now()
  while (linkIsThere(link)) {
    // A connection that the dyno left half closed can keep its network for minutes.
    if (performance.now() - started > LINK_GOES_WITHIN) return deleteLink(link)
    await pause(LOOK_EVERY)
  }
}

async function deleteLink(link: string): Promise<void> {
  await runProgram(['ip', 'link', 'del', link]).catch((error: unknown) => {
    if (linkIsThere(link)) throw error
  })
}

/**
 * The region's bridge with the gateway's address, and forwarding. Idempotent. Its hardware address is
 * its own and the same after it was made anew: left to itself a bridge takes the least of its ports',
 * so that it would change as dynos go, and what another sends to the one it remembers would be lost
 * until it asks anew (14 s, measured).
 */
export async function ensureBridge(
  region: RegionNetwork,
  signal: AbortSignal,
): Promise<void> {
  const { bridge, subnet, mtu } = region
  if (!linkIsThere(bridge)) {
    await runProgram(['ip', 'link', 'add', bridge, 'type', 'bridge'], { signal })
  }
  await writeFile(noIpv6(bridge), '1').catch(() => {
    // A kernel without IPv6 has nothing to disable.
  })
  const settings = Object.entries(BRIDGE).map(([it, value]) => `${it} ${value}`)
  const input = `link set ${bridge} mtu ${mtu} address ${hardwareAddressOf(subnet.gateway)}
link set ${bridge} type bridge ${settings.join(' ')}
addr replace ${subnet.gateway}/${subnet.prefix} dev ${bridge}
link set ${bridge} up
`
  await runProgram(['ip', '-batch', '-'], { input, signal })
  await writeFile(FORWARDING, '1')
  await writeFile(CHILD_CONNECTION_TABLE, CONNECTION_TABLE_SIZE).catch(() => {
    // Before Linux 6.1 all share one table, and looks cost more.
  })
}

export function noIpv6(link: string): string {
  return `/proc/sys/net/ipv6/conf/${link}/disable_ipv6`
}

/** Makes these dynos' links the bridge's, with all that a port of it is to be. */
export async function rejoinBridge(
  bridge: string,
  dynos: readonly DynoNetwork[],
  signal: AbortSignal,
): Promise<void> {
  const present = dynos.filter(({ link }) => linkIsThere(link))
  if (present.length === 0) return
  const batch = (lines: readonly string[]) => ({ input: lines.join('\n'), signal })
  const joining = present.map((dyno) => joinLines(bridge, dyno))
  await runProgram(['ip', '-force', '-batch', '-'], batch(joining))
  await runProgram(['bridge', '-force', '-batch', '-'], batch(present.map(knowLine)))
}

export async function removeBridge(bridge: string): Promise<void> {
  if (linkIsThere(bridge)) await runProgram(['ip', 'link', 'del', bridge])
}

/** The largest packet that leaves the machine unbroken. */
export function outwardMtu(): number {
  const routes = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1)
  const byDefault = routes
    .map((line) => line.split('\t'))
    .find((it) => it[1] === '00000000')
  if (!byDefault?.[0]) return USUAL_MTU
  return Number(readFileSync(`/sys/class/net/${byDefault[0]}/mtu`, 'utf8'))
}

export function linkIsThere(link: string): boolean {
  return existsSync(`/sys/class/net/${link}`)
}
