import { namedSettings } from '../lib/named-settings.ts'
import { isNetwork } from '../model/reach.ts'

/** `webhooks.json`: which networks or addresses webhooks may reach though they are not public. */
export interface WebhookSettings {
  readonly allowedNetworks: readonly string[]
}

export const USUAL_WEBHOOK_SETTINGS: WebhookSettings = { allowedNetworks: [] }

/** What the text of `webhooks.json` says. Throws an error that says what is not understood. */
export function webhookSettings(text: string): WebhookSettings {
  return { ...USUAL_WEBHOOK_SETTINGS, ...namedSettings(text, KINDS) }
}

const KINDS = {
  allowedNetworks: {
    is: (it: unknown) =>
      Array.isArray(it) &&
      it.every((network) => typeof network === 'string' && isNetwork(network)),
    what: 'a list of networks or addresses, as in ["10.1.0.0/16"]',
  },
}
