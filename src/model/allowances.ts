/** What the operator opens to dynos, beyond the public Internet. */
export interface Allowances {
  /** IPv4 networks or addresses, not this host's: what they name of it stays closed. */
  readonly networks: readonly string[]
  /** To mail servers: port 25. */
  readonly mail: boolean
}

export const NOTHING_ALLOWED: Allowances = { networks: [], mail: false }
