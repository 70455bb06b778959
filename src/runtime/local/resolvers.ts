/** The name servers that dynos ask: the machine's own, where dynos can reach them. */

import { readFileSync } from 'node:fs'

const SYSTEMD_RESOLVED = '/run/systemd/resolve/resolv.conf'
const MOST = 3

export interface Resolvers {
  /** IPv4; a dyno has no IPv6. */
  readonly addresses: readonly string[]
  /** `options` lines. The machine's `search` is its own affair: it tells where the machine stands. */
  readonly settings: readonly string[]
}

/** Reads a `resolv.conf`; loopback addresses are left out: in a dyno they are its own. */
export function resolversIn(text: string): Resolvers {
  const lines = text.split('\n').map((line) => line.trim())
  const addresses = lines
    .map((line) => /^nameserver\s+(\d+\.\d+\.\d+\.\d+)$/.exec(line)?.[1] ?? '')
    .filter((address) => address && !address.startsWith('127.'))
    .slice(0, MOST)
  return { addresses, settings: lines.filter((line) => /^options\s/.test(line)) }
}

/** The machine's; of a local stub, what it asks itself. */
export function presentResolvers(): Resolvers {
  const own = resolversIn(textOf('/etc/resolv.conf'))
  return own.addresses.length > 0 ? own : resolversIn(textOf(SYSTEMD_RESOLVED))
}

export function resolvConf({ addresses, settings }: Resolvers): string {
  const lines = [...addresses.map((address) => `nameserver ${address}`), ...settings]
  return `${lines.join('\n')}\n`
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
