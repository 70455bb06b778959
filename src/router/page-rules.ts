/** HAProxy's rules for the answers that are the router's own: when which page, and what it shows. */

import { MISDIRECTED, NO_SUCH_APP, PAGES, REFUSED } from './pages.ts'
import type { RouterPaths } from './router-paths.ts'
import type { RouterSettings } from './router-settings.ts'
import { NO_SERVER } from './routing-table.ts'

/** Marks an answer that is HAProxy's own, until it is on its way out. */
export const GIVEN_UP = 'mayfly-gave-up'

const PAGE =
  'content-type "text/html; charset=utf-8" hdr Cache-Control "no-cache, no-store"'

/**
 * What HAProxy itself gives up on is told as 503 whatever it was: see `frontend` in haproxy-config.ts. Whose request is
 * refused is hung up on: what else it says may be part of that.
 */
export function errorPages({ applicationError, pages }: RouterPaths): string {
  return [
    ...REFUSED.map(
      ({ status }) =>
        `  http-error status ${status} ${PAGE} lf-file ${pages}/${status}.html hdr Connection close`,
    ),
    ...[500, 502, 503, 504].map(
      (status) =>
        `  http-error status ${status} ${PAGE} lf-file ${applicationError} hdr ${GIVEN_UP} 1`,
    ),
  ].join('\n')
}

/** Answers for apps whose state is an H code, for apps elsewhere, and for unknown hosts. */
export function noServer({ paths }: RouterSettings): string {
  return `backend ${NO_SERVER} from http
  http-after-response set-header Connection close if { stopping }
  http-request set-log-level silent unless { var(txn.entry) -m found }
  http-request deny deny_status 400 unless { req.hdr(host) -m found }
  http-request deny deny_status 400 if { req.hdr(host) -m len 0 }
  ${returns(NO_SUCH_APP.status, paths.noSuchApp)} unless { var(txn.entry) -m found }
  http-request set-var(txn.code) var(txn.entry),field(2,/)
${pageRules('error', paths.hostsMap, ' unless { var(txn.code) -m str H80 }')}
${pageRules('maintenance', paths.hostsMap, ' if { var(txn.code) -m str H80 }')}
${Object.entries(PAGES)
  .map(
    ([code, { status }]) =>
      `  ${returns(status, `${paths.pages}/${code}.html`)} if { var(txn.code) -m str ${code} }`,
  )
  .join('\n')}
  http-request set-var(txn.agent) req.fhdr(user-agent)
  http-request set-var-fmt(txn.address) "http://%[var(txn.entry),field(5,/)]/"
  http-request set-var-fmt(txn.address) "https://%[var(txn.entry),field(6,/)]/" if { so_name https } { var(txn.entry),field(6,/) -m len 1: }
  ${returns(MISDIRECTED.status, paths.misdirected)}
`
}

/** Sets what pages show in place of theirs, if the app has one for that. */
export function pageRules(
  kind: 'error' | 'maintenance',
  hostsMap: string,
  condition = '',
): string {
  return `  http-request set-var(txn.app) var(txn.entry),field(4,/)${condition}
  http-request set-var(txn.page) str(${kind}:),concat(,txn.app),map(${hostsMap})${condition}`
}

export function returns(status: number, file: string): string {
  return `http-request ${page(status, file)}`
}

export function page(status: number, file: string): string {
  return `return status ${status} ${PAGE} lf-file ${file}`
}
