/**
 * HAProxy's rules for requests and answers as such, whichever app they are for: what is refused,
 * what is written anew, which headers come and go. src/router/conformance-*.test.ts has each.
 *
 * Most requests, and most answers, are plain: they need nothing but what is added to them. That
 * one is plain is found out in one go, and ends its list of rules, for each rule that looks for a
 * header costs HAProxy about 400 instructions.
 */

import { CHALLENGE_PATH, NO_SERVER } from './routing-table.ts'

/** Of requests: what a client must not say to a dyno, or what must be looked at. */
const TELLING = [
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'x[-_]forwarded[-_](for|port|proto)',
  'x[-_]request[-_](id|start)',
]

/**
 * Of those headers that tell a dyno who asks, with an underscore in the name: WSGI, CGI and PHP make one word of
 * both, and would take the client's for ours.
 */
const FOLDED =
  '^x(_(forwarded|request)[-_]|-(forwarded|request)_)(for|port|proto|id|start)$'

/** Of answers. */
const TELLING_OF_ANSWERS = [
  'connection',
  'keep-alive',
  'proxy-authorization',
  'set-cookie',
  'te',
]

const EXPECTS = `{ req.fhdr(expect) -i 100-continue } { var(txn.entry) -m found } !{ var(txn.entry) -m beg ${NO_SERVER}/ }`

/**
 * HAProxy answers 100 itself as it begins to wait, as Heroku's router does, but for a body of HTTP/2 that has no length: there the
 * dyno is asked. It comes before a request is held: who waits for it would be silent all that time, for which the client's time-out is.
 */
export const CONTINUE = `http-request wait-for-body time 30s at-least 1 if ${EXPECTS} !is_h2 || ${EXPECTS} { req.hdr(content-length) -m found }`

/** What HAProxy lets through, and a dyno might take for something else than we do. */
const REFUSALS = `  http-request deny deny_status 405 if { method CONNECT }
  http-request deny deny_status 400 if is_long || { method -m len 128: }
  http-request deny deny_status 400 if { req.ver 1.0 } { req.hdr(transfer-encoding) -m found }
  http-request set-header Transfer-Encoding chunked if { req.hdr(transfer-encoding) -m found } !{ req.hdr(transfer-encoding) -m str chunked }
  http-request return status 417 content-type text/plain string "Expectation Failed" hdr Connection close if { req.fhdr(expect) -m found } !{ req.fhdr(expect) -i 100-continue } !{ req.fhdr(expect) -m len 0 }`

/** Of an `Upgrade`: names, each with a version or without, and with nothing between two commas. Backslashes are doubled for HAProxy's configuration. */
const TOKEN = String.raw`[-\\x21\\x23-\\x27*+.^_\\x60|~[:alnum:]]+`
const PROTOCOL = `${TOKEN}(/${TOKEN})?`
const PROTOCOLS = String.raw`[\\x20\\t,]*${PROTOCOL}([\\x20\\t]*,[\\x20\\t,]*${PROTOCOL})*[\\x20\\t,]*`

const HYGIENE = `  http-request del-header Expect unless is_h2 !{ req.hdr(content-length) -m found }
  http-request set-uri %[pathq] if !is_path { pathq -m beg / } !is_h2 || !is_path { pathq -m beg / } !is_web
  http-request set-uri / if !is_path !{ url -m str * } !is_h2 || !is_path !{ url -m str * } !is_web
  http-request del-header X-Request-Id
  http-request del-header X-Request-Start
  http-request del-header X-Forwarded-For unless { req.fhdr_cnt(x-forwarded-for) gt 1 }
  http-request del-header X-Forwarded-Proto
  http-request del-header X-Forwarded-Port
  http-request del-header ${FOLDED} -m reg
  http-request del-header Connection if { req.hdr(upgrade) -i -m beg h2c } || { req.hdr(connection) -i http2-settings }
  http-request del-header Upgrade if { req.hdr(upgrade) -i -m beg h2c }
  http-request del-header HTTP2-Settings
  http-request del-header Connection unless { req.hdr(connection) -i upgrade }
  http-request deny deny_status 400 if { req.hdr(connection) -m found } !{ req.hdr(upgrade) -m found } || { req.hdr(connection) -m found } { req.fhdr(upgrade) -m reg ^(?!${PROTOCOLS}$) }
  http-request set-header Connection upgrade if { req.hdr_cnt(connection) gt 1 }
  http-request del-header Keep-Alive
  http-request del-header TE
  http-request del-header Proxy-Authorization`

/** Neither too long nor an authority's question: see `challengeRules`. */
const PLAIN_PATH = String.raw`/(?!${CHALLENGE_PATH.slice(1).replaceAll('.', String.raw`\\.`)}).{0,8191}$`

/**
 * For each connection: texts, for to make them takes HAProxy longer than to find them. `sess.id`: all of a UUID but
 * its first eight digits. `sess.http`, `sess.spoken`: HTTP/2 comes by ALPN alone.
 */
export const OF_A_CONNECTION = `  tcp-request session set-var(sess.src) src,concat()
  tcp-request session set-var(sess.port) dst_port,concat()
  tcp-request session set-var(sess.id) uuid(),bytes(8,28)
  tcp-request session set-var(sess.http) str(1.1)
  tcp-request session set-var(sess.http) str(2.0) if { ssl_fc_alpn h2 }
  tcp-request session set-var-fmt(sess.spoken) "1 %[so_name] -"
  tcp-request session set-var-fmt(sess.spoken) "1 %[so_name] %[ssl_fc_protocol]" if { ssl_fc }
  tcp-request session set-var-fmt(sess.spoken) "2 %[so_name] %[ssl_fc_protocol]" if { ssl_fc_alpn h2 }`

/** When a dyno is asked, in milliseconds. A plain request of HTTP/1 has it in its id: see router.lua. */
const SENT = '  http-request set-var(txn.sent) date(0,ms)'

/** To make one takes HAProxy a twentieth of a request's time. */
const OWN_ID = '  http-request set-var(txn.id) uuid()'

/**
 * Of the connection's own UUID, with the time in place of its first eight digits, in steps of 16 microseconds. The requests of a
 * connection of HTTP/1 follow each other, and each to a dyno takes longer than that: none has another's id within nineteen hours,
 * after which the digits come again.
 */
const ID_BY_TIME =
  '  http-request set-var(txn.id) date(0,us),hex,bytes(7,8),lower,concat(,sess.id)'

/** Who is answered without a dyno may ask again before the time has gone on. `when`: a condition. */
export function idOfAnswered(when = ''): string {
  const isByTime = '{ var(txn.id),bytes(8),strcmp(sess.id) eq 0 }'
  return `  http-request set-var(txn.id) uuid() if ${when}${isByTime}`
}

/**
 * For the frontend, once the host was looked up: what a plain request for an app with a dyno needs.
 * `txn.id` is what the dyno is told. In HTTP/2 no header need say that a body is still to come, and
 * nothing else tells it than whether the request has ended, which HAProxy has for developers. Its URL is whole, but
 * for a client that says `host` and no `:authority`.
 */
export const PLAIN_REQUESTS = `  acl is_get method GET HEAD
  acl is_plain url -m reg ^${PLAIN_PATH}
  acl is_plain_in_full url -m reg ^(https?://[^/]+)?${PLAIN_PATH}
  acl is_telling req.hdr_names -m reg ${oneOf(TELLING)}
  acl is_h2 fc_http_major 2
  acl is_served var(txn.entry),field(1,/),nbsrv gt 0
  acl has_ended internal.htx.has_eom
${ID_BY_TIME}
${allow('is_plain is_get is_served !is_telling !is_h2')}
${OWN_ID}
${SENT}
${allow('is_h2 is_plain_in_full is_get is_served !is_telling has_ended')}`

/** A worker that has a successor counts its servers still where HAProxy is newer: it is not it that serves then. */
function allow(claims: string): string {
  return `.if version_atleast(2.8)
  http-request allow if ${claims} !{ stopping }
.else
  http-request allow if ${claims}
.endif`
}

/** Bytes: with most heads it finds room in a buffer of HAProxy's. */
const SHORT_BODY = 8192

/**
 * Where a body is there as a whole before a dyno is asked the time-outs are those of a request without
 * one: so what comes of a short one right after its head is waited for. (HAProxy's own `wait-for-body`
 * would refuse a request whose dyno is to answer before.) Where there is more to come `txn.body` is set.
 */
const BODY_RULES = `  http-request set-var(txn.length) req.hdr(content-length),add(0)
  acl is_whole req.body_len,sub(txn.length) eq 0
  http-request lua.body if { var(txn.length) -m int 1:${SHORT_BODY} } !is_whole
  http-request set-var(txn.body) bool(true) if { req.hdr(transfer-encoding) -m found } || { var(txn.length) -m int gt 0 } !is_whole || is_h2 !has_ended !{ req.hdr(content-length) -m found } !{ req.hdr(upgrade) -m found }`

/**
 * For all others, once it is known where they lead and none is held any more. Of several lists of
 * addresses, which stay as they are, `txn.chain` has none. What this worker hands to its successor, or
 * answers by a page, stays as it is.
 */
export const REQUEST_RULES = `  acl is_path url,bytes(0,1) -m str /
  acl is_long pathq -m len 8193:
  acl is_web url -m beg http:// https://
  http-request set-var(txn.id) req.fhdr(x-request-id,-1) if { req.fhdr(x-request-id,-1) -m reg ^[A-Za-z0-9+/=-]{20,200}$ }
  http-request set-var-fmt(txn.chain) "%[req.fhdr(x-forwarded-for,-1)], " if { req.fhdr_cnt(x-forwarded-for) eq 1 }
  http-request allow if { stopping } || !{ var(txn.entry) -m found } || { var(txn.entry) -m beg ${NO_SERVER}/ }
${REFUSALS}
${HYGIENE}
${BODY_RULES}
${SENT}`

/**
 * What a dyno of Heroku gets. To HAProxy it is one header of several lines, for each one costs it 700
 * instructions; what stands in them is ours, or was a header's value and so has no line's end.
 */
const ADDED_LINES = [
  '%[var(sess.http)] heroku-router',
  'x-request-id: %[var(txn.id)]',
  'x-forwarded-for: %[var(txn.chain)]%[var(sess.src)]',
  'x-forwarded-proto: %[so_name]',
  'x-forwarded-port: %[var(sess.port)]',
  'x-request-start: %[date(0,ms)]',
]

export const ADDED = `  http-request add-header Via "${ADDED_LINES.join(String.raw`\r\n`)}"`

/** Of one `Set-Cookie` of an answer, in bytes. */
const LONGEST_COOKIE = 8192

/**
 * What a dyno's answers pass on, and what they may not have: H25. `page`: how an error page is
 * returned.
 */
export function answerRules(page: (status: number) => string): string {
  return `  http-response add-header Via "1.1 heroku-router"
  http-response allow unless { res.hdr_names -m reg ${oneOf(TELLING_OF_ANSWERS)} }
  http-response del-header Connection unless { status 101 }
  http-response del-header Keep-Alive
  http-response del-header TE
  http-response del-header Proxy-Authorization
  http-response ${page(502)} if { res.fhdr(set-cookie) -m len ${LONGEST_COOKIE + 1}: }`
}

/** Of names with commas in between, all of them in lower case. */
function oneOf(names: readonly string[]): string {
  return `(^|,)(${names.join('|')})(,|$)`
}
