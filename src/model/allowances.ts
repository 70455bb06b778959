/** What the operator opens to dynos, beyond the public Internet, and what of that they are not to reach either. */
export interface Allowances {
  /** IPv4 networks or addresses, not this host's: what they name of it stays closed. */
  readonly networks: readonly string[]
  /** IPv4 networks or addresses that are closed, public or not, but for what `networks` opens of them. */
  readonly closed: readonly string[]
  /** To mail servers: port 25. */
  readonly mail: boolean
}

export const NOTHING_ALLOWED: Allowances = { networks: [], closed: [], mail: false }
