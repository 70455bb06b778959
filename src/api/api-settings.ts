import { type Kind, namedSettings } from '../lib/named-settings.ts'
import { isNetwork } from '../model/reach.ts'
import { type Allowance, USUAL_ALLOWANCE } from './rate-limit.ts'

/** `api.json`: whoever runs Mayfly may grant more, and say whom to believe. */
export interface ApiSettings extends Allowance {
  /** Networks (`10.1.0.0/16`) or addresses. */
  readonly trustedProxies: readonly string[]
}

export const USUAL_API_SETTINGS: ApiSettings = { ...USUAL_ALLOWANCE, trustedProxies: [] }

/** What the text of `api.json` says. Throws an error that says what is not understood. */
export function apiSettings(text: string): ApiSettings {
  return { ...USUAL_API_SETTINGS, ...namedSettings(text, KINDS) }
}

const KINDS: Readonly<Record<keyof ApiSettings, Kind>> = {
  requestsPerHour: {
    is: (it) => Number.isSafeInteger(it) && Number(it) > 0,
    what: 'a whole number above 0',
  },
  rateLimitPer: {
    is: (it) => it === 'account' || it === 'token',
    what: '"account" or "token"',
  },
  trustedProxies: {
    is: (it) =>
      Array.isArray(it) &&
      it.every((network) => typeof network === 'string' && isNetwork(network)),
    what: 'a list of networks or addresses, as in ["10.1.0.0/16"]',
  },
}
