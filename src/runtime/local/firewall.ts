/**
 * What dynos reach and who reaches them: one nftables table of the region's, rendered
 * whole and put in place in one transaction, so that there is no moment without it. Beside
 * it, under the same name, one for ARP, which the kernel keeps apart.
 *
 * A dyno's hardware address is its own on its port of the bridge (`network.ts`) and ends in
 * its IPv4 address, so that here is seen who speaks in another's name.
 *
 * What is closed is closed to what is under way, too, in both directions: it is asked before whether a
 * connection is established. So an allowance that is withdrawn ends what was begun by it. Only ICMP comes
 * in from wherever: a router on the way to the internet may well have a private address.
 */

import { runProgram } from '../../lib/run-program.ts'
import type { Allowances } from '../../model/allowances.ts'
import { NOT_PUBLIC } from '../../model/not-public.ts'
import { subnetOf } from './address.ts'
import { CONNECTIONS } from './machine-tables.ts'
import { disjoint } from './networks.ts'

/** What a dyno may begin in a second, and how much of that it may save up. */
const NEW_CONNECTIONS = { each: 400, saved: 2000 }
/** Seconds for which an ended connection stays in that table; 120 of the kernel's own accord. */
const REMEMBERED = 10
/**
 * What a dyno may ask of names by UDP, which needs no new connection; by TCP, at a time. Of that it has `GRANTED`
 * whatever others ask; beyond that all of a region have `SHARED` together. The resolver waits 10 s for an
 * answer that does not come: so a hundred dynos have 15,000 questions under way (see `resolver-config.ts`).
 */
const QUESTIONS = { each: 200, saved: 1000 }
const GRANTED = { each: 8, saved: 30 }
const SHARED = { each: 300, saved: 1000 }
const BY_TCP = 2
const DYNOS = 16_384

/** Mail servers take mail from anybody here; who may send it uses the submission ports. */
const SMTP = 25

export interface FirewallFacts {
  readonly table: string
  readonly bridge: string
  readonly subnet: string
  /** Of the host the one address that dynos know: there is their name server. */
  readonly gateway: string
  /** The uids of this host that may begin something with a dyno: the manager's, and the router's. */
  readonly reachedBy: readonly number[]
  readonly allowances: Allowances
}

export function firewallRules(facts: FirewallFacts): string {
  const { table, bridge, subnet, allowances } = facts
  const names = `ip daddr ${facts.gateway} meta l4proto { tcp, udp } th dport 53`

  return `${anew('inet', table)}table inet ${table} {
  ct timeout dynos { protocol tcp; l3proto ip; policy = { time_wait : ${REMEMBERED}, close : ${REMEMBERED} }; }
  set pace { type ipv4_addr; size ${DYNOS}; flags dynamic,timeout; timeout 10s; }
  set held { type ipv4_addr; size ${DYNOS}; flags dynamic; }
  set asking { type ipv4_addr; size ${DYNOS}; flags dynamic,timeout; timeout 10s; }
  set granted { type ipv4_addr; size ${DYNOS}; flags dynamic,timeout; timeout 10s; }
  set asking_by_tcp { type ipv4_addr; size ${DYNOS}; flags dynamic; }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${bridge}" goto from_dynos
    oifname "${bridge}" goto answers
  }
  chain from_dynos {
    jump by_itself
    oifname "${bridge}" drop
${lines(closed(allowances, 'd', 'goto exceptions'))}
    goto passes
  }
  chain exceptions {
${lines(openings(allowances, 'd', 'goto passes'))}
    drop
  }
  chain answers {
    ct state related accept
${lines(closed(allowances, 's', 'goto answers_of_exceptions'))}
    ct state established accept
    drop
  }
  chain answers_of_exceptions {
${lines(openings(allowances, 's', 'ct state established accept'))}
    drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${bridge}" goto to_host
    iifname != "lo" ${names} drop
  }
  chain to_host {
    jump by_itself
    ${names} goto names
    ct direction reply ct state established,related accept
    drop
  }
  chain names {
    ct state new jump begun
    meta l4proto udp update @asking { ip saddr limit rate over ${QUESTIONS.each}/second burst ${QUESTIONS.saved} packets } drop
    meta l4proto udp update @granted { ip saddr limit rate ${GRANTED.each}/second burst ${GRANTED.saved} packets } goto resolver
    meta l4proto udp limit rate over ${SHARED.each}/second burst ${SHARED.saved} packets drop
    meta l4proto tcp ct state established accept
    meta l4proto tcp add @asking_by_tcp { ip saddr ct count over ${BY_TCP} } drop
    goto resolver
  }
  chain resolver {
    socket wildcard 0 accept
    drop
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname "${bridge}" goto to_dynos
  }
  chain to_dynos {
    ct state established,related accept
    meta skuid { ${facts.reachedBy.join(', ')} } accept
    drop
  }
  chain by_itself {
    meta nfproto ipv6 drop
    ip saddr != ${subnet} drop
${lines(sameOctets(subnet, '@ll', [88, 120]))}
  }
  chain passes {
    ct state established,related accept
    jump begun
    accept
  }
  chain begun {
    ct timeout set "dynos"
    update @pace { ip saddr limit rate over ${NEW_CONNECTIONS.each}/second burst ${NEW_CONNECTIONS.saved} packets } drop
    add @held { ip saddr ct count over ${CONNECTIONS} } drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} oifname != "${bridge}" masquerade
  }
}
${anew('arp', table)}table arp ${table} {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${bridge}" jump by_itself
  }
  chain by_itself {
    arp saddr ip != ${subnet} drop
${lines(sameOctets(subnet, '@nh', [104, 136]))}
  }
}
`
}

/** Where a packet goes to (`d`), or comes from (`s`). */
type End = 'd' | 's'

/** What dynos do not reach, but for the exceptions. Of a packet that goes on this costs one look into a set. */
function closed({ mail, closed: more }: Allowances, end: End, then: string): string[] {
  // In a set they may not overlap.
  const all = disjoint([...NOT_PUBLIC, ...more])
  const networks = `ip ${end}addr { ${all.join(', ')} } ${then}`
  return [networks, ...(mail ? [] : [`tcp ${end}port ${SMTP} ${then}`])]
}

function openings({ networks }: Allowances, end: End, then: string): string[] {
  // One by one: in a set they may not overlap.
  return networks.map((it) => `ip ${end}addr ${it} ${then}`)
}

function anew(family: string, table: string): string {
  return `table ${family} ${table} {}\ndelete table ${family} ${table}\n`
}

/**
 * Drops what comes from a hardware address that does not end as the IPv4 address does, as far
 * as the region's addresses differ. nftables compares no two fields of a packet: it looks for
 * both among the pairs of the same. `ends`: where their last octets are, in bits.
 */
function sameOctets(
  subnet: string,
  layer: '@ll' | '@nh',
  [hardware, ip]: readonly [number, number],
): string[] {
  const pairs = Array.from({ length: 256 }, (_, octet) => `${octet} . ${octet}`)
  const differing = Math.ceil((32 - subnetOf(subnet).prefix) / 8)
  return Array.from({ length: differing }, (_, n) => {
    const both = `${layer},${hardware - 8 * n},8 . @nh,${ip - 8 * n},8`
    return `${both} != { ${pairs.join(', ')} } drop`
  })
}

function lines(rules: readonly string[]): string {
  return rules.map((rule) => `    ${rule}`).join('\n')
}

export async function applyFirewall(facts: FirewallFacts, signal?: AbortSignal) {
  const input = firewallRules(facts)
  await runProgram(['nft', '-f', '-'], signal ? { input, signal } : { input })
}

/** Both tables as the kernel has them; undefined where one is missing. The same rules, the same text. */
export async function presentFirewall(
  table: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  // Without what comes and goes with connections.
  const list = ['--terse', '--stateless', 'list', 'table']
  try {
    const of = (family: string) => runProgram(['nft', ...list, family, table], { signal })
    return (await Promise.all(['inet', 'arp'].map(of))).join('')
  } catch {
    return undefined
  }
}

const TRIED = `nft -f - && for family in inet arp; do
  nft --terse --stateless list table $family "$1" || exit
done`

/**
 * The same as the kernel will have it, from a network of its own that nobody else gets at: what is read
 * after the rules were put up may be somebody else's by then.
 */
export async function triedFirewall(
  facts: FirewallFacts,
  signal: AbortSignal,
): Promise<string> {
  const args = ['--net', 'sh', '-c', TRIED, 'sh', facts.table]
  return runProgram(['unshare', ...args], { input: firewallRules(facts), signal })
}

export async function removeFirewall(table: string): Promise<void> {
  await runProgram(['nft', '-f', '-'], { input: noFirewall(table) })
}

export function noFirewall(table: string): string {
  return anew('inet', table) + anew('arp', table)
}
