import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

import { Problem } from '../model/problem.ts'
import { mayReach, type Reach } from '../model/reach.ts'

/**
 * A Problem where a URL leads into this machine or a private network. What its name stands
 * for may change, or be unknown today: whoever connects looks again.
 */
export async function mustBeInReach(text: string, reach: Reach): Promise<void> {
  const url = URL.parse(text)
  if (!url) return
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const addresses = isIP(host) === 0 ? await addressesOf(host) : [host]
  const forbidden = addresses.find((it) => !mayReach(it, reach))
  if (forbidden === undefined) return
  throw new Problem(
    'invalid_params',
    `url leads to ${forbidden}, which is in no public network. Whoever runs Mayfly can allow it in webhooks.json.`,
  )
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map((it) => it.address)
  } catch {
    return []
  }
}
