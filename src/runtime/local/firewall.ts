/**
 * What dynos reach and who reaches them: one nftables table of the region's, rendered
 * whole and put in place in one transaction, so that there is no moment without it.
 */

import { NOT_PUBLIC } from '../../model/not-public.ts'
import { runProgram } from './run-program.ts'

/** Mail servers take mail from anybody here; who may send it uses the submission ports. */
const SMTP = 25

export interface FirewallFacts {
  readonly table: string
  readonly bridge: string
  readonly subnet: string
  /** Name servers, IPv4; elsewhere or addresses of this host. */
  readonly resolvers: readonly string[]
}

export function firewallRules(facts: FirewallFacts): string {
  const { table, bridge, subnet } = facts
  const named = facts.resolvers.length > 0
  const resolvers = `ip daddr { ${facts.resolvers.join(', ')} }`
  const dns = ['udp', 'tcp'].map((by) => `${resolvers} ${by} dport 53 accept`)

  return `table inet ${table} {}
delete table inet ${table}
table inet ${table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${bridge}" jump from_dynos
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" drop
  }
  chain from_dynos {
    ip saddr != ${subnet} drop
    meta nfproto ipv6 drop
    oifname "${bridge}" drop
    ct state established,related accept
${lines(named ? dns : [])}
    ip daddr { ${NOT_PUBLIC.join(', ')} } drop
    tcp dport ${SMTP} drop
    accept
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${bridge}" jump to_host
  }
  chain to_host {
    meta nfproto ipv6 drop
    ip saddr != ${subnet} drop
    ct state established,related accept
${lines(named ? dns : [])}
    drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} oifname != "${bridge}" masquerade
  }
}
`
}

function lines(rules: readonly string[]): string {
  return rules.map((rule) => `    ${rule}`).join('\n')
}

export async function applyFirewall(facts: FirewallFacts, signal?: AbortSignal) {
  const input = firewallRules(facts)
  await runProgram('nft', ['-f', '-'], signal ? { input, signal } : { input })
}

/** The table as the kernel has it; undefined where it has none. The same rules, the same text. */
export async function presentFirewall(
  table: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const args = ['list', 'table', 'inet', table]
  return runProgram('nft', args, { signal }).catch(() => undefined)
}

export async function removeFirewall(table: string): Promise<void> {
  const input = `table inet ${table} {}\ndelete table inet ${table}\n`
  await runProgram('nft', ['-f', '-'], { input })
}
