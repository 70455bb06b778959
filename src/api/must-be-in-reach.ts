import { isIP } from 'node:net'

import { addressesOf } from '../lib/addresses-of.ts'
import { SECOND } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { mayReach, type Reach } from '../model/reach.ts'

/** Whoever asks for a webhook does not wait longer for what is only a first look. */
const PATIENCE = 5 * SECOND

/**
 * A Problem where a URL leads into this machine or a private network. What its name stands
 * for may change, or be unknown today: whoever connects looks again.
 */
export async function mustBeInReach(text: string, reach: Reach): Promise<void> {
  const url = URL.parse(text)
  if (!url) return
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const addresses = isIP(host) === 0 ? await known(host) : [host]
  const forbidden = addresses.find((it) => !mayReach(it, reach))
  if (forbidden === undefined) return
  throw new Problem(
    'invalid_params',
    `url leads to ${forbidden}, which is in no public network. Whoever runs Mayfly can allow it in webhooks.json.`,
  )
}

async function known(host: string): Promise<string[]> {
  try {
    const found = await addressesOf(host, { signal: AbortSignal.timeout(PATIENCE) })
    return found.map((it) => it.address)
  } catch {
    return []
  }
}
