/** A region's dynos live in a /18 of 172.16.0.0/12 that nothing else on the machine uses. */

import { textOf } from '../lib/ipv4.ts'
import { runProgram } from '../lib/run-program.ts'
import { Refusal } from './refusal.ts'

const FIRST = address('172.16.0.0')
const SIZE = 1 << 14
const COUNT = 64

interface Range {
  readonly from: number
  readonly to: number
}

/**
 * `count` of them that touch none of `used` (addresses with or without prefix length). The
 * search begins at a place that `seed` decides, so that two installations that know nothing
 * of one another yet seldom choose the same.
 */
export function freeSubnets(
  count: number,
  used: readonly string[],
  seed: number,
): string[] {
  const taken = used.map(rangeOf)
  const all = Array.from(
    { length: COUNT },
    (_, at) => FIRST + ((at + seed) % COUNT) * SIZE,
  )
  const free = all.filter(
    (from) => !taken.some((it) => it.from < from + SIZE && it.to >= from),
  )
  if (free.length < count) {
    throw new Refusal(
      `${count} networks of /18 are needed out of 172.16.0.0/12, and this machine has only ${free.length} free.`,
    )
  }
  return free.slice(0, count).map((from) => `${textOf(from)}/18`)
}

/** Every IPv4 network that this machine has an address in or a route to. */
export async function usedNetworks(): Promise<string[]> {
  const [links, routes] = await Promise.all([
    runProgram(['ip', '-4', '-json', 'address', 'show']),
    runProgram(['ip', '-4', '-json', 'route', 'show', 'table', 'all']),
  ])
  type Link = { readonly addr_info: readonly { local: string; prefixlen: number }[] }
  const addresses = (JSON.parse(links) as Link[])
    .flatMap((link) => link.addr_info)
    .map((it) => `${it.local}/${it.prefixlen}`)
  const destinations = (JSON.parse(routes) as { dst: string }[])
    .map((it) => it.dst)
    .filter((it) => it !== 'default')
  return [...addresses, ...destinations]
}

function rangeOf(network: string): Range {
  const [base = '', length = '32'] = network.split('/')
  const size = 2 ** (32 - Number(length))
  const from = Math.floor(address(base) / size) * size
  return { from, to: from + size - 1 }
}

function address(dottedQuad: string): number {
  return dottedQuad.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
