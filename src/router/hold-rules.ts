/** HAProxy's rules for requests that wait for their app's first dyno: see `hold` in router.lua. */

import { NO_SERVER } from './routing-table.ts'
import type { RouterTimeouts } from './router-settings.ts'

/**
 * How many requests each app has that were held, and how many of those were let go, until they end: those that wait
 * are the difference, and what H11 is decided by. (A client that leaves ends its request without a word to `hold`,
 * so nothing there could count.)
 */
export const HELD = `backend held from http
  stick-table type string len 36 size 100k expire 2m store conn_cur

backend let_go from http
  stick-table type string len 36 size 100k expire 2m store conn_cur
`

/** Milliseconds that may have gone by since a client's last byte when its request begins to be held. */
const SINCE_LAST_BYTE = 100

/**
 * While a request is held the client's time-out goes on where its body is not there: who is hung up on by that did
 * not leave.
 */
export function holdRules({ idle }: RouterTimeouts): string {
  return `  http-request set-var(txn.waits) var(txn.entry),field(4,/) if { var(txn.entry),field(1,/),nbsrv eq 0 } !{ var(txn.entry) -m beg ${NO_SERVER}/ }
  http-request track-sc0 var(txn.waits) table held if { var(txn.waits) -m found }
  http-request set-var(txn.held) date(0,ms) if { sc0_tracked }
  http-request lua.hold if { sc0_tracked }
  http-request set-var(txn.code) str(H28) if { var(txn.code) -m found } !has_ended { date(0,ms),sub(txn.held) ge ${idle - SINCE_LAST_BYTE} }
  http-request deny deny_status 503 if { var(txn.code) -m found }
  http-request track-sc1 var(txn.waits) table let_go if { sc0_tracked }`
}
