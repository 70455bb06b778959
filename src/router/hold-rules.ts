/** HAProxy's rules for requests that wait for their app's first dyno: see `hold` in router.lua. */

import { NO_SERVER } from './routing-table.ts'
import type { RouterTimeouts } from './router-settings.ts'

/** How many requests each app has that were held, until they end: what H11 is decided by. */
export const HELD = `backend held from http
  stick-table type string len 36 size 100k expire 2m store conn_cur
`

/** Milliseconds that may have gone by since a client's last byte when its request begins to be held. */
const SINCE_LAST_BYTE = 100

/**
 * While a request is held the client's time-out goes on where its body is not there: who is hung up on by that did
 * not leave.
 */
export function holdRules({ idle }: RouterTimeouts): string {
  return `  http-request track-sc0 var(txn.entry),field(4,/) table held if { var(txn.entry),field(1,/),nbsrv eq 0 } !{ var(txn.entry) -m beg ${NO_SERVER}/ }
  http-request set-var(txn.held) date(0,ms) if { sc0_tracked }
  http-request lua.hold if { sc0_tracked }
  http-request set-var(txn.code) str(H28) if { var(txn.code) -m found } !has_ended { date(0,ms),sub(txn.held) ge ${idle - SINCE_LAST_BYTE} }
  http-request deny deny_status 503 if { var(txn.code) -m found }`
}
