/** IPv4 networks, as in `10.0.0.0/8`; without a length it is one address. */

import { numberOf, textOf } from '../../lib/ipv4.ts'

interface Network {
  readonly from: number
  readonly length: number
}

/** What is in `networks` and in none of `others`, as networks again. */
export function without(
  networks: readonly string[],
  others: readonly string[],
): string[] {
  const holes = others.map(networkOf)
  return networks.flatMap((it) => remaining(networkOf(it), holes)).map(textOfNetwork)
}

/** The same addresses, each in one network. */
export function disjoint(networks: readonly string[]): string[] {
  return networks.reduce<string[]>((all, it) => [...all, ...without([it], all)], [])
}

function remaining(it: Network, holes: readonly Network[]): Network[] {
  const touching = holes.filter((hole) => contains(hole, it) || contains(it, hole))
  if (touching.length === 0) return [it]
  if (touching.some((hole) => contains(hole, it))) return []
  return halvesOf(it).flatMap((half) => remaining(half, touching))
}

/** The zones of DNS that answer which names the network's addresses have. */
export function reverseZones(network: string): string[] {
  const { from, length } = networkOf(network)
  const octets = Math.max(1, Math.ceil(length / 8))
  const size = 2 ** (32 - 8 * octets)
  return Array.from({ length: 2 ** (8 * octets - length) }, (_, n) => {
    const labels = textOf(from + n * size)
      .split('.')
      .slice(0, octets)
    return `${labels.toReversed().join('.')}.in-addr.arpa`
  })
}

function networkOf(text: string): Network {
  const [address = '', bits = '32'] = text.split('/')
  const length = Number(bits)
  const size = 2 ** (32 - length)
  return { from: Math.floor(numberOf(address) / size) * size, length }
}

function contains(outer: Network, inner: Network): boolean {
  if (outer.length > inner.length) return false
  const size = 2 ** (32 - outer.length)
  return inner.from >= outer.from && inner.from < outer.from + size
}

function halvesOf({ from, length }: Network): Network[] {
  const half = 2 ** (31 - length)
  return [from, from + half].map((it) => ({ from: it, length: length + 1 }))
}

function textOfNetwork({ from, length }: Network): string {
  return `${textOf(from)}/${length}`
}
