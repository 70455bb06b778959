/** What follows from a dyno's IPv4 address, and from its network's. */

import { gatewayOf, numberOf } from '../../lib/ipv4.ts'

/** Container uids 0 … 2047 of each dyno. */
export const UIDS_PER_DYNO = 2048
const FIRST_UID = 0x40000000
const WITHIN_172_16 = 0xfffff

/** The dyno's user inside the dyno. */
export const DYNO_UID = 1000

/** Whose slugs and writable volumes are on disk: a uid of no account and of no dyno. */
export const SLUG_UID = FIRST_UID - 1

export interface Subnet {
  /** The bridge's own address: the first one. */
  readonly gateway: string
  readonly prefix: number
}

/** The host uid of the dyno's uid 0. Unique, as addresses in 172.16.0.0/12 are. */
export function firstUidOf(address: string): number {
  return FIRST_UID + (numberOf(address) & WITHIN_172_16) * UIDS_PER_DYNO
}

/** `cidr` as in `172.16.64.0/18`. */
export function subnetOf(cidr: string): Subnet {
  const [, prefix = ''] = cidr.split('/')
  return { gateway: gatewayOf(cidr), prefix: Number(prefix) }
}

/** A dyno's hardware address: of those that nobody was given by a maker, ending in its IPv4 address. */
export function hardwareAddressOf(address: string): string {
  const octets = address.split('.').map((it) => Number(it).toString(16).padStart(2, '0'))
  return `02:4d:${octets.join(':')}`
}
