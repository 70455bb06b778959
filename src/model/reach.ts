/**
 * Which addresses a webhook's requests may go to. They are sent by the control plane for
 * whoever may change an app, so by default they reach the public Internet alone: not this
 * machine, not the dynos, no private network, no metadata service.
 */

import { BlockList, isIPv6 } from 'node:net'

import { NOT_PUBLIC, NOT_PUBLIC_IPV6 } from './not-public.ts'

export interface Reach {
  /** This machine's own addresses. */
  readonly own: readonly string[]
  /** Networks (`10.1.0.0/16`) or addresses that are allowed all the same. */
  readonly allowed: readonly string[]
}

/** `address`: as a name was resolved to, or as a URL has it. */
export function mayReach(address: string, { own, allowed }: Reach): boolean {
  if (isIn(address, allowed)) return true
  // To the list of the other family, an IPv4 address is one of ::ffff:0:0/96.
  const notPublic = isIPv6(address) ? notPublic6 : notPublic4
  return !isListed(address, notPublic) && !isIn(address, own)
}

/** Whether this names a network or an address. */
export function isNetwork(text: string): boolean {
  try {
    blockListOf([text])
    return true
  } catch {
    return false
  }
}

const notPublic4 = blockListOf([
  ...NOT_PUBLIC,
  // Of documents and relays: nobody there can be told anything. Dynos may ask, as of any address that nobody has.
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
])

const notPublic6 = blockListOf(NOT_PUBLIC_IPV6)

/** Whether an address is of these networks or addresses. */
export function isIn(address: string, networks: readonly string[]): boolean {
  return isListed(address, blockListOf(networks))
}

function isListed(address: string, list: BlockList): boolean {
  return list.check(address, familyOf(address))
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = familyOf(address)
    if (bits === undefined) list.addAddress(address, family)
    // Of nothing at all, a number is made as well: 0, all there is.
    else list.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : NaN, family)
  }
  return list
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
