/**
 * HAProxy's rules for requests and answers as such, whichever app they are for: what is refused,
 * what is written anew, which headers come and go. src/router/conformance-*.test.ts has each.
 */

import { NO_SERVER } from './routing-table.ts'
import { forwardedByTls, type TlsSettings } from './tls-rules.ts'

/** What HAProxy lets through, and a dyno might take for something else than we do. */
export const REFUSALS = `  http-request deny deny_status 405 if { method CONNECT }
  http-request deny deny_status 400 if { url -m len 8193: } || { method -m len 128: }
  http-request deny deny_status 400 if { req.ver 1.0 } { req.hdr(transfer-encoding) -m found }
  http-request set-header Transfer-Encoding chunked if { req.hdr(transfer-encoding) -m found } !{ req.hdr(transfer-encoding) -m str chunked }
  http-request return status 417 content-type text/plain string "Expectation Failed" if { req.hdr(expect) -m found } !{ req.hdr(expect) -i 100-continue } !{ req.hdr(expect) -m len 0 }
  http-request del-header Expect
  http-request set-uri %[pathq] if { url -i -m beg http } { pathq -m beg / } !{ fc_http_major 2 }
  http-request set-uri / if { url -i -m beg http } !{ fc_http_major 2 }`

/** HAProxy answers 100 itself as it begins to wait, as Heroku's router does. */
export const CONTINUE = `  http-request wait-for-body time 30s at-least 1 if { req.hdr(expect) -i 100-continue } { var(txn.entry) -m found } !{ var(txn.entry) -m beg ${NO_SERVER}/ }
`

/** Of one `Set-Cookie` of an answer, in bytes. */
const LONGEST_COOKIE = 8192

/** What answers of dynos may not have: H25. `page`: how an error page is returned. */
export function answerRefusals(page: (status: number) => string): string {
  return `  http-response ${page(502)} if { res.fhdr(set-cookie) -m len ${LONGEST_COOKIE + 1}: }`
}

/** What a dyno of Heroku gets, and what its answers pass on. */
export function headerRules(port: number, tls: TlsSettings | undefined): string {
  return `  http-request set-header X-Request-Id %[var(txn.id)]
  http-request set-header X-Forwarded-For %[var(txn.fwd)]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port ${port}
${tls ? forwardedByTls(tls) : ''}  http-request set-var(txn.sent) date(0,ms)
  http-request set-header X-Request-Start %[var(txn.sent)]
  http-request add-header Via "1.1 heroku-router" unless { fc_http_major 2 }
  http-request add-header Via "2.0 heroku-router" if { fc_http_major 2 }
  http-request del-header Connection if { req.hdr(upgrade) -i -m beg h2c }
  http-request del-header Upgrade if { req.hdr(upgrade) -i -m beg h2c }
  http-request del-header HTTP2-Settings
  http-request del-header Connection unless { req.hdr(connection) -i upgrade }
  http-request deny deny_status 400 if { req.hdr(connection) -m found } !{ req.hdr(upgrade) -m found }
  http-request del-header Keep-Alive
  http-request del-header TE
  http-request del-header Proxy-Authorization
  http-response deny deny_status 502 if { status lt 100 }
  http-response del-header Connection unless { status 101 }
  http-response del-header Keep-Alive
  http-response del-header TE
  http-response del-header Proxy-Authorization
  http-response add-header Via "1.1 heroku-router"`
}
