/**
 * dnsmasq, as the one name server that a region's dynos know. It hands their questions on to
 * the machine's name servers, and tells nothing that is not public: what these know of private
 * networks, of themselves and of this machine. Who starts it: src/installation/parts.ts.
 */

import type { Allowances } from '../../model/allowances.ts'
import { NOT_PUBLIC, NOT_PUBLIC_IPV6 } from '../../model/not-public.ts'
import { disjoint, reverseZones, without } from './networks.ts'

/**
 * What 175 dynos can have under way together, held as they are to a pace by the firewall. Not more: dnsmasq looks
 * through them all for each question that it hands on (1 ms of a processor at 25,000).
 */
const UNDER_WAY = 20_000
const CACHED = 10_000
/** Each is a process of dnsmasq's, for two minutes and a half at most. Of a dyno there are two. */
const BY_TCP = 400

/**
 * What a name server tells of itself (`hostname.bind`, `id.server`, and the like) or of its
 * protocols, and what no name server is to be asked (RFC 6761, RFC 7686, RFC 9476).
 */
const NOBODYS = [
  'bind',
  'server',
  'pdns',
  'unbound',
  'resolver.arpa',
  'alt',
  'invalid',
  'localhost',
  'onion',
]
/** What the Internet will never have, and private networks do (RFC 6762 appendix G, RFC 8375). */
const PRIVATE = [
  'corp',
  'home',
  'home.arpa',
  'internal',
  'intranet',
  'lan',
  'local',
  'localdomain',
  'private',
  'test',
]

export interface ResolverFacts {
  /** The one address that it listens at; of the region's bridge. */
  readonly gateway: string
  /** Files like /etc/resolv.conf; the one that changed last holds. */
  readonly follows: readonly string[]
  readonly allowances: Allowances
}

export function resolverConfig({ gateway, follows, allowances }: ResolverFacts): string {
  const { networks, closed } = allowances
  // Who opens a private network to dynos wants them to find what is there by name.
  const unasked = networks.length > 0 ? NOBODYS : [...NOBODYS, ...PRIVATE]
  const zones = [...unasked, ...NOT_PUBLIC.flatMap(reverseZones)]
  const unreached = disjoint([...NOT_PUBLIC, ...closed])
  const withheld = [...without(unreached, networks), ...NOT_PUBLIC_IPV6]
  return `# Written by the region's manager: do not edit.
keep-in-foreground
pid-file
log-facility=-

# The address comes and goes with the bridge.
listen-address=${gateway}
bind-dynamic

# The machine's name servers as they change, and nothing of its own.
${lines(follows.map((file) => `resolv-file=${file}`))}
clear-on-reload
no-hosts
no-ident
domain-needed
bogus-priv
${lines(zones.map((zone) => `local=/${zone}/`))}

# An answer with an address that dynos may not reach is none.
${lines(withheld.map((network) => `bogus-nxdomain=${network}`))}
# The addresses in these are looked at by nobody.
filter-rr=HTTPS,SVCB

dns-forward-max=${UNDER_WAY}
max-tcp-connections=${BY_TCP}
cache-size=${CACHED}
`
}

function lines(all: readonly string[]): string {
  return all.join('\n')
}
