/** How many requests an app may have under way, and held: who comes on top of them gets H11. */

import { returns } from './page-rules.ts'
import { idOfAnswered } from './request-rules.ts'
import type { RouterSettings } from './router-settings.ts'
import { BACKLOG } from './routing-table.ts'

/**
 * Heroku's routers are many, and each counts what it has under way itself; here is one. Open websockets are under
 * way, and a dyno may have thousands.
 */
const AS_MANY_AS_ROUTERS = 10
/**
 * As many as a program in Node has room for that it has yet to accept (511), with all of them let go together. The system
 * drops who comes on top of them, and tries it again after a second: docs/decisions/0014-held-requests.md.
 */
const ROOM_OF_FIRST_DYNO = 500
/** No app may have more of all the connections there are. */
const LARGEST_SHARE = 1 / 2

function shareOf({ maxConnections }: RouterSettings): number {
  return Math.floor(LARGEST_SHARE * maxConnections)
}

/** The requests that one dyno may have under way. */
function routersWorth(settings: RouterSettings): number {
  return Math.min(AS_MANY_AS_ROUTERS * BACKLOG, shareOf(settings))
}

/**
 * No app has more held, however many web dynos it is scaled to: those cost nothing while they do not start, and all
 * that is held goes to the first of them, within 50 milliseconds of its being up.
 */
export function mostHeld(settings: RouterSettings): number {
  return Math.min(ROOM_OF_FIRST_DYNO, shareOf(settings))
}

/** Last of a backend's rules, which end for nearly all requests with its first one. */
export function tooMany(settings: RouterSettings): string {
  return `  http-request allow unless { be_conn gt ${routersWorth(settings)} }
  http-request set-var(txn.most) var(txn.entry),field(5,/),mul(${AS_MANY_AS_ROUTERS})
  http-request allow unless { be_conn,sub(txn.most) gt 0 } || { be_conn gt ${shareOf(settings)} }
  http-request set-var(txn.code) str(H11)
${idOfAnswered()}
  ${returns(503, `${settings.paths.pages}/H11.html`)}`
}
