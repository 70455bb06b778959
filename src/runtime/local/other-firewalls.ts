/**
 * Tables of others, Docker's above all. All of them are asked about each forwarded packet, and one
 * verdict to drop is enough: ours cannot overrule theirs, and must not. So theirs has to let dynos'
 * packets through, which only the operator may tell it.
 */

/** Of the bridges, those whose packets such a table drops by its policy. `rules`: all, as nft lists them. */
export function barredBridges(rules: string, bridges: readonly string[]): string[] {
  const barring = tablesOf(rules).filter(dropsByPolicy)
  return bridges.filter((bridge) => barring.some((table) => !letsThrough(table, bridge)))
}

/** Whether a table drops what none of its rules lets through. */
export function anyDropsByPolicy(rules: string): boolean {
  return tablesOf(rules).some(dropsByPolicy)
}

/** What lets dynos' packets through Docker's rules, in the chain that it leaves to the operator. */
export function commandsForDocker(bridge: string): string[] {
  return [
    `iptables -I DOCKER-USER -i ${bridge} -j ACCEPT`,
    `iptables -I DOCKER-USER -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  ]
}

function tablesOf(rules: string): string[] {
  return rules.split(/^(?=table )/m)
}

function dropsByPolicy(table: string): boolean {
  return /hook forward [^\n]*policy drop/.test(table)
}

/** Out, and the answers in. */
function letsThrough(table: string, bridge: string): boolean {
  return ['iifname', 'oifname'].every((direction) =>
    new RegExp(`^\\s*${direction} "${bridge}".* accept$`, 'm').test(table),
  )
}
