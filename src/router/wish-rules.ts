/**
 * HAProxy's rules for what an app wants otherwise than others: see `wishesOf` in
 * routing-table.ts, and docs/operating/routing.md. All of it changes without a reload.
 */

import { createHash } from 'node:crypto'

import { pageRules } from './page-rules.ts'
import type { RouterPaths } from './router-paths.ts'
import type { BackendKind } from './routing-table.ts'
import { redirectRules, type TlsSettings } from './tls-rules.ts'

/**
 * Every backend of apps with wishes could be sticky, and none heeds or makes a cookie but for apps
 * that want it: so that may change without a reload. The key only has to be the same after a restart.
 */
export function affinityRules({ directory }: RouterPaths): string {
  const key = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  return `  cookie heroku-session-affinity insert indirect nocache httponly maxlife 24h attr "Max-Age=86400" dynamic
  dynamic-cookie-key ${key}`
}

/** Where the time to the first byte is an app's own it is the server's time-out, as for requests with a body. */
export function wishRules(
  kind: Exclude<BackendKind, 'app'>,
  { hostsMap }: RouterPaths,
  tls: TlsSettings | undefined,
): string {
  const ownTime = `  http-request set-var(txn.body) bool(true)
  http-request set-timeout server var(txn.entry),field(6,/)
`
  const idle = '{ var(txn.entry),field(7,/) -m len 1:9 }'
  return `${tls ? redirectRules(tls) : ''}${kind === 'patient' ? ownTime : ''}  http-request set-timeout tunnel var(txn.entry),field(7,/) if ${idle}
${pageRules('error', hostsMap)}`
}
