import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

import type { DataDirectory } from '../src/installation/data-directory.ts'
import type { Log } from '../src/lib/log.ts'
import { isNetwork, type Reach } from '../src/model/reach.ts'

/**
 * Where webhooks' requests may go, as of now: whoever runs Mayfly may allow private networks,
 * in `webhooks.json`: `{"allowedNetworks": ["10.1.0.0/16"]}`. A file that can't be understood
 * allows nothing.
 */
export function webhookReach(data: DataDirectory, log: Log): () => Reach {
  return () => ({
    own: Object.values(networkInterfaces()).flatMap((them) =>
      (them ?? []).map((it) => it.address),
    ),
    allowed: allowedNetworks(data.webhookSettings, log),
  })
}

function allowedNetworks(file: string, log: Log): readonly string[] {
  if (!existsSync(file)) return []
  try {
    const { allowedNetworks: networks } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly allowedNetworks?: unknown
    }
    if (Array.isArray(networks) && networks.every((it) => isNetwork(String(it)))) {
      return networks.map(String)
    }
    throw new TypeError('allowedNetworks must be a list of networks or addresses')
  } catch (error) {
    log.error('cannot use webhooks.json: no private network is allowed', error)
    return []
  }
}
