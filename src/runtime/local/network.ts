/** A bridge per region; per dyno a network namespace with one end of a link to it. */

import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'

import { type Subnet } from './address.ts'
import { runProgram } from './run-program.ts'

const USUAL_MTU = 1500
const FORWARDING = '/proc/sys/net/ipv4/ip_forward'
const IFF_UP = 1

export interface DynoNetwork {
  readonly namespace: string
  /** The host's end. */
  readonly link: string
  readonly address: string
}

export interface RegionNetwork {
  readonly bridge: string
  readonly subnet: Subnet
  readonly mtu: number
}

export function namespaceFile(namespace: string): string {
  return `/run/netns/${namespace}`
}

/** For `ip -batch`: a dyno's namespace and the link into it, not yet with its address. */
export function linkLines(region: RegionNetwork, dyno: DynoNetwork): string {
  const { link, namespace } = dyno
  const { mtu, bridge } = region
  return `netns add ${namespace}
link add ${link} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${namespace}
${joinLines(bridge, link)}`
}

function joinLines(bridge: string, link: string): string {
  return `link set ${link} master ${bridge} up
link set ${link} type bridge_slave isolated on
`
}

/** For `ip -netns … -batch`: what is set from inside. */
export function addressLines(region: RegionNetwork, { address }: DynoNetwork): string {
  const { gateway, prefix } = region.subnet
  return `link set lo up
addr add ${address}/${prefix} dev eth0
link set eth0 up
route add default via ${gateway}
`
}

export async function addLink(
  region: RegionNetwork,
  dyno: DynoNetwork,
  signal: AbortSignal,
): Promise<void> {
  await runProgram('ip', ['-batch', '-'], { input: linkLines(region, dyno), signal })
}

export async function addAddress(
  region: RegionNetwork,
  dyno: DynoNetwork,
  signal: AbortSignal,
): Promise<void> {
  const args = ['-netns', dyno.namespace, '-batch', '-']
  await runProgram('ip', args, { input: addressLines(region, dyno), signal })
}

/** Removes what there is of it. The link first: a namespace takes a while to go. */
export async function removeDynoNetwork(dyno: {
  readonly link: string | undefined
  readonly namespace: string
}): Promise<void> {
  const present: string[] = []
  if (dyno.link && linkIsThere(dyno.link)) present.push(`link del ${dyno.link}`)
  if (namespaceIsThere(dyno.namespace)) present.push(`netns del ${dyno.namespace}`)
  if (present.length === 0) return
  const input = `${present.join('\n')}\n`
  // A link goes by itself with its namespace, so it may be gone between look and command.
  await runProgram('ip', ['-force', '-batch', '-'], { input }).catch((error: unknown) => {
    if (dyno.link && linkIsThere(dyno.link)) throw error
    if (namespaceIsThere(dyno.namespace)) throw error
  })
}

/** The region's bridge with the gateway's address, and forwarding. Idempotent. */
export async function ensureBridge(
  region: RegionNetwork,
  signal: AbortSignal,
): Promise<void> {
  const { bridge, subnet, mtu } = region
  if (!linkIsThere(bridge)) {
    await runProgram(
      'ip',
      ['link', 'add', bridge, 'mtu', String(mtu), 'type', 'bridge'],
      {
        signal,
      },
    )
  }
  await writeFile(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, '1').catch(() => {
    // A kernel without IPv6 has nothing to disable.
  })
  const input = `addr replace ${subnet.gateway}/${subnet.prefix} dev ${bridge}
link set ${bridge} up
`
  await runProgram('ip', ['-batch', '-'], { input, signal })
  await writeFile(FORWARDING, '1')
}

/** Whether it is there and up, and the machine forwards. */
export function bridgeIsWell(bridge: string): boolean {
  if (!linkIsThere(bridge)) return false
  const flags = Number(readFileSync(`/sys/class/net/${bridge}/flags`, 'utf8'))
  return (flags & IFF_UP) !== 0 && readFileSync(FORWARDING, 'utf8').trim() === '1'
}

/** Makes these links the bridge's again, after it was made anew. */
export async function rejoinBridge(
  bridge: string,
  links: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const present = links.filter(linkIsThere)
  if (present.length === 0) return
  const input = present.map((link) => joinLines(bridge, link)).join('')
  await runProgram('ip', ['-force', '-batch', '-'], { input, signal })
}

export async function removeBridge(bridge: string): Promise<void> {
  if (linkIsThere(bridge)) await runProgram('ip', ['link', 'del', bridge])
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

function linkIsThere(link: string): boolean {
  return existsSync(`/sys/class/net/${link}`)
}

function namespaceIsThere(namespace: string): boolean {
  return existsSync(namespaceFile(namespace))
}
