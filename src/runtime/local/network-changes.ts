/** What somebody else made of a region's bridge, and of dynos' ports of it, that is not as it is to be. */

import { readFileSync } from 'node:fs'

import { runProgram } from '../../lib/run-program.ts'
import { hardwareAddressOf } from './address.ts'
import {
  BRIDGE,
  type DynoNetwork,
  FORWARDING,
  linkIsThere,
  noIpv6,
  PORT,
  type RegionNetwork,
} from './network.ts'

export interface NetworkChanges {
  /** In the words of ip(8), each once. */
  readonly ofBridge: readonly string[]
  readonly ofPorts: ReadonlyMap<DynoNetwork, readonly string[]>
}

/** Of what `ip -json` and `bridge -json` print. */
interface Link {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly address: string
  readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number }[]
  readonly linkinfo?: {
    readonly info_data?: Readonly<Record<string, unknown>>
    readonly info_slave_data?: Readonly<Record<string, unknown>>
  }
}

interface Known {
  readonly mac: string
  readonly ifname: string
  readonly state: string
}

/** `dynos`: only such as have begun, so that none is taken for changed while it is being set up. */
export async function networkChanges(
  region: RegionNetwork,
  dynos: readonly DynoNetwork[],
  signal: AbortSignal,
): Promise<NetworkChanges> {
  const name = region.bridge
  if (!linkIsThere(name)) {
    const gone = dynos.filter(({ link }) => linkIsThere(link))
    return { ofBridge: ['link'], ofPorts: new Map(gone.map((it) => [it, ['master']])) }
  }
  const input = `addr show dev ${name}\nlink show master ${name}\n`
  const [links, known] = await Promise.all([
    runProgram(['ip', '-details', '-json', '-batch', '-'], { input, signal }),
    runProgram(['bridge', '-json', 'fdb', 'show', 'br', name], { signal }),
  ])
  const [[bridge] = [], ports = []] = links
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Link[])
  const places = placesIn(JSON.parse(known) as Known[])
  const byName = new Map(ports.map((port) => [port.ifname, port]))
  const ofPorts = dynos
    .map((dyno) => [dyno, changesOfPort(dyno, byName.get(dyno.link), places)] as const)
    // A dyno that has ended meanwhile took its link with it.
    .filter(([{ link }, changes]) => changes.length > 0 && linkIsThere(link))
  return { ofBridge: changesOfBridge(region, bridge), ofPorts: new Map(ofPorts) }
}

function changesOfBridge(
  { subnet, mtu, bridge }: RegionNetwork,
  link: Link | undefined,
): string[] {
  if (!link) return ['link']
  const has = (link.addr_info ?? []).some(
    (it) => it.local === subnet.gateway && it.prefixlen === subnet.prefix,
  )
  return [
    ...(link.flags.includes('UP') ? [] : ['up']),
    ...(link.mtu === mtu ? [] : ['mtu']),
    ...(link.address === hardwareAddressOf(subnet.gateway) ? [] : ['address']),
    ...(has ? [] : ['addr']),
    ...differing(BRIDGE, link.linkinfo?.info_data),
    ...(isOne(noIpv6(bridge)) ? [] : ['disable_ipv6']),
    ...(isOne(FORWARDING) ? [] : ['ip_forward']),
  ]
}

function changesOfPort(
  { link, address }: DynoNetwork,
  port: Link | undefined,
  places: ReadonlyMap<string, string>,
): string[] {
  if (!port) return ['master']
  const isKnown = places.get(hardwareAddressOf(address)) === link
  return [
    ...(port.flags.includes('UP') ? [] : ['up']),
    ...differing(PORT, port.linkinfo?.info_slave_data),
    ...(isKnown ? [] : ['fdb']),
  ]
}

/** What an older kernel or ip(8) does not tell of is not known to differ. */
function differing(
  wanted: Readonly<Record<string, unknown>>,
  present: Readonly<Record<string, unknown>> = {},
): string[] {
  return Object.keys(wanted).filter(
    (it) => present[it] !== undefined && present[it] !== wanted[it],
  )
}

/** At which port each hardware address is that was told, not learnt. */
function placesIn(known: readonly Known[]): ReadonlyMap<string, string> {
  const told = known.filter(({ state }) => state === 'static')
  return new Map(told.map(({ mac, ifname }) => [mac, ifname]))
}

/** A kernel that has no such file has nothing to set. */
function isOne(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').trim() === '1'
  } catch {
    return true
  }
}
