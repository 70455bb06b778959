import { networkInterfaces } from 'node:os'

import type { DataDirectory } from '../src/installation/data-directory.ts'
import { followSettings } from '../src/installation/settings-file.ts'
import type { Log } from '../src/lib/log.ts'
import type { Reach } from '../src/model/reach.ts'
import { webhookSettingsFile } from './settings-files.ts'

/**
 * Where webhooks' requests may go, as of now: whoever runs Mayfly may allow private networks,
 * in `webhooks.json`. A Refusal where that isn't understood as it is at first.
 */
export function webhookReach(
  data: DataDirectory,
  following: { readonly log: Log; readonly signal: AbortSignal },
): () => Reach {
  const settings = followSettings(webhookSettingsFile(data), following)
  return () => ({
    own: Object.values(networkInterfaces()).flatMap((them) =>
      (them ?? []).map((it) => it.address),
    ),
    allowed: settings().allowedNetworks,
  })
}
