/**
 * HAProxy's configuration as text, complete: a HAProxy started from it serves what the
 * routing table says, with no manager alive. Rules run in the order they stand in.
 */

import { createHash } from 'node:crypto'

import { SECOND } from '../lib/clock.ts'
import { LONGEST_OF_APPS } from '../model/app-routing.ts'
import { APPLICATION_ERROR, MISDIRECTED, NO_SUCH_APP, PAGES, REFUSED } from './pages.ts'
import type { RouterPaths } from './router-paths.ts'
import {
  BACKEND_KINDS,
  BACKLOG,
  type BackendKind,
  backendOf,
  NO_SERVER,
  type RoutingTable,
} from './routing-table.ts'
import {
  ADDED,
  answerRules,
  CONTINUE,
  idOfAnswered,
  OF_A_CONNECTION,
  PLAIN_REQUESTS,
  REQUEST_RULES,
} from './request-rules.ts'
import { serverId } from './server-id.ts'
import {
  challengeRules,
  redirectRules,
  TLS_GLOBALS,
  tlsBinds,
  type TlsSettings,
} from './tls-rules.ts'
import { affinityRules, pageRules, wishRules } from './wish-rules.ts'

export interface RouterSettings {
  readonly paths: RouterPaths
  /** `127.0.0.1:8080`; as HAProxy's `bind` takes it. */
  readonly listen: readonly string[]
  /** Undefined: there is plain HTTP alone. */
  readonly tls: TlsSettings | undefined
  /** Where `logs` takes request lines. */
  readonly logSocket: string
  readonly maxConnections: number
  /** Whether HAProxy starts as root, and leaves it. */
  readonly asRoot: boolean
  readonly timeouts: RouterTimeouts
  /** The text of router.lua, which HAProxy reads as it starts. */
  readonly lua: string
}

/** Milliseconds. */
export interface RouterTimeouts {
  readonly connect: number
  /** Until a dyno's first byte: then H12. */
  readonly firstByte: number
  /** Of silence, once something was said. */
  readonly idle: number
  /** How long a request waits for its app's first dyno: then H20. */
  readonly boot: number
}

export const HEROKU_TIMEOUTS: RouterTimeouts = {
  connect: 5 * SECOND,
  firstByte: 30 * SECOND,
  idle: 55 * SECOND,
  boot: 75 * SECOND,
}

/**
 * Of every server, static or added at run time. The weight makes `random` spread evenly. Without
 * `pool-max-conn` one added at run time would keep no connection (HAProxy 2.6: `idle_lim` 0), and
 * each request would pay for a new one.
 *
 * A dyno that refuses a connection, or does not take it in time, is asked again at once, and is
 * quarantined if that fails, too: it gets no request until it takes a connection, which is tried
 * every five seconds. (Quarantined by the request's failure itself, it would cost that request
 * a second where one other dyno is left.) HAProxy observes requests only where there are checks;
 * those of dynos that are well are three weeks apart.
 */
export const SERVER_SETTINGS = [
  'weight 32 pool-purge-delay 2s pool-max-conn -1',
  'check inter 20d fastinter 10ms downinter 5s rise 1 fall 2 observe layer4 error-limit 1',
].join(' ')

/**
 * The request line for `logs`: what src/logs/router-record.ts reads. A variable that is not set is
 * `-`, or a quoted nothing. Quoted texts may be anything a client sends, and of any length: the last
 * ones may be cut, or missing. Of the entry the app's id is a part: to find that for each would take HAProxy longer than to tell all.
 */
const RECORD = [
  '%[date(0,us)]',
  '%[var(txn.entry)]',
  '%TR %Tw %Tc %Ta %ST %B %[capture.res.hdr(0)] %ts',
  '%[var(txn.code)]',
  '%[var(sess.spoken)]',
  'method=%HM',
  'request_id=%[var(txn.id)]',
  'dyno=%s',
  'src=%[var(sess.src)]',
  'agent=%{+Q,+E}[var(txn.agent)]',
  'host=%{+Q,+E}[var(txn.host)]',
  'fwd=%{+Q,+E}[var(txn.chain)]',
  'path=%{+Q}HU',
].join(' ')
/** Bytes. A longer one finds no room in a buffer of HAProxy's, and is lost. */
const LONGEST_RECORD = 15_000

/** Marks an answer that is HAProxy's own, until it is on its way out. */
const GIVEN_UP = 'mayfly-gave-up'

/**
 * Of before reloads, with connections left; the oldest ends for one more. A reload comes when apps have
 * twice as many backends as at the last one, or with a new Mayfly.
 */
const OLD_WORKERS = 4

const PAGE =
  'content-type "text/html; charset=utf-8" hdr Cache-Control "no-cache, no-store"'

export function haproxyConfig(table: RoutingTable, settings: RouterSettings): string {
  const shape = shapeOf(table, settings)
  return `${globalSection(settings, shape)}
${defaultsSections(settings)}
${frontend(settings)}
${successor(settings)}
${HELD}
${noServer(settings)}
${backends(table, settings)}`
}

/**
 * Names all of the configuration that a running HAProxy can only take by a reload: two
 * of the same shape differ in servers alone.
 */
export function shapeOf(table: RoutingTable, settings: RouterSettings): string {
  const text = [
    globalSection(settings, ''),
    defaultsSections(settings),
    frontend(settings),
    successor(settings),
    HELD,
    noServer(settings),
    ...BACKEND_KINDS.map((kind) => backendRules(kind, settings.timeouts)),
    JSON.stringify(table.pool),
    settings.lua,
    JSON.stringify([PAGES, REFUSED, NO_SUCH_APP, MISDIRECTED, APPLICATION_ERROR]),
  ].join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function globalSection(settings: RouterSettings, shape: string): string {
  const { paths, maxConnections, timeouts, logSocket, asRoot, tls } = settings
  return `global
  description ${shape}
  maxconn ${maxConnections}${asRoot ? '\n  user haproxy\n  group haproxy' : ''}
  stats socket ${paths.adminSocket} mode 600 level admin expose-fd listeners
  stats timeout 10s
  hard-stop-after 1d
  mworker-max-reloads ${OLD_WORKERS}
  close-spread-time infinite
  tune.http.logurilen 8400
  tune.http.maxhdr 1000
${tls ? TLS_GLOBALS : ''}  setenv HOSTS_MAP ${paths.hostsMap}
  setenv WAKE_SOCKET ${paths.wakeSocket}
  setenv PAGES ${paths.pages}
  setenv HOLD ${timeouts.boot}
  setenv MOST_HELD ${routersWorth(settings)}
  setenv FIRST_BYTE ${timeouts.firstByte}
  lua-load-per-thread ${paths.lua}

ring requests
  format raw
  maxlen 16384
  size 4194304
  timeout connect 1s
  timeout server 10s
  server logs unix@${logSocket} log-proto octet-count
`
}

function defaultsSections(settings: RouterSettings): string {
  const { paths, timeouts } = settings
  return `defaults http
  mode http
  option http-keep-alive
  option http-ignore-probes
  option abortonclose
  http-reuse safe
  option redispatch 1
  retries 9
  retry-on conn-failure
  timeout connect ${timeouts.connect}ms
  timeout http-request 30s
  timeout http-keep-alive 60s
  timeout client ${timeouts.idle}ms
  timeout server ${timeouts.idle}ms
  timeout tunnel ${timeouts.idle}ms
${errors(paths)}

# The first byte is waited for from the connect on, or, where there is a body, from the
# last of it on: the former by rules in each backend. What comes after it has the time of
# silence where HAProxy can change a time-out by then.
${BACKEND_KINDS.map((kind) => defaultsOf(kind, settings)).join('\n')}`
}

function defaultsOf(kind: BackendKind, settings: RouterSettings): string {
  const { paths, timeouts, tls } = settings
  const silence = `.if version_atleast(3.0)
  http-response set-timeout server ${timeouts.idle}ms if { var(txn.body) -m bool }
.endif
`
  return `defaults ${kind} from http
  balance random(2)
${ADDED}
${kind === 'patient' ? '' : silence}${answerRules((status) => page(status, paths.applicationError))}
  http-request set-timeout server ${timeouts.firstByte}ms if { var(txn.body) -m bool }
${kind === 'app' ? '' : `${affinityRules(paths)}\n${wishRules(kind, paths, tls)}\n`}${tooMany(settings)}
`
}

/**
 * Heroku's routers are many, and each counts what it has under way itself; here is one. What waits for a first
 * dyno is one router's worth; open websockets are under way, and a dyno may have thousands.
 */
const AS_MANY_AS_ROUTERS = 10
/** No app may have more of all the connections there are. */
const LARGEST_SHARE = 1 / 2

function shareOf({ maxConnections }: RouterSettings): number {
  return Math.floor(LARGEST_SHARE * maxConnections)
}

/**
 * The requests that one dyno may have under way. An app has no more held, however many it is scaled to: those
 * dynos cost nothing while they do not start, and each request that is held costs all apps' router something.
 */
function routersWorth(settings: RouterSettings): number {
  return Math.min(AS_MANY_AS_ROUTERS * BACKLOG, shareOf(settings))
}

/** Last of a backend's rules, which end for nearly all requests with its first one. */
function tooMany(settings: RouterSettings): string {
  return `  http-request allow unless { be_conn gt ${routersWorth(settings)} }
  http-request set-var(txn.most) var(txn.entry),field(5,/),mul(${AS_MANY_AS_ROUTERS})
  http-request allow unless { be_conn,sub(txn.most) gt 0 } || { be_conn gt ${shareOf(settings)} }
  http-request set-var(txn.code) str(H11)
${idOfAnswered()}
  ${returns(503, `${settings.paths.pages}/H11.html`)}`
}

/**
 * What HAProxy itself gives up on is told as 503 whatever it was: see `frontend`. Whose request is refused is hung up on:
 * what else it says may be part of that.
 */
function errors({ applicationError, pages }: RouterPaths): string {
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

/**
 * HAProxy 2.6 does not wait for what such rules in a `defaults` section wait for, and has no
 * `ignore-persist` there, which it heeds before all other rules of a backend.
 */
function backendRules(kind: BackendKind, { firstByte }: RouterTimeouts): string {
  const wishes = '  ignore-persist unless { var(txn.entry),field(3,/) -m sub sticky }\n'
  const most = kind === 'patient' ? LONGEST_OF_APPS : firstByte
  return `${kind === 'app' ? '' : wishes}  tcp-response inspect-delay ${most}ms
  tcp-response content accept if { status 100:999 }
  tcp-response content lua.no_answer`
}

/** Milliseconds that may have gone by since a client's last byte when its request begins to be held. */
const SINCE_LAST_BYTE = 100

/**
 * Who is to come by TLS need not wait for a dyno to hear so, nor wake the app. While a request is held the client's
 * time-out goes on where its body is not there: who is hung up on by that did not leave.
 */
function frontend({ paths, listen, asRoot, tls, timeouts }: RouterSettings): string {
  const owner = asRoot ? ' user haproxy group haproxy' : ''
  return `frontend apps from http
${listen.map((address) => `  bind ${address} name http`).join('\n')}
  bind unix@${paths.successorSocket} name http accept-proxy mode 600${owner}
${tls ? tlsBinds(tls, paths, owner) : ''}  log ring@requests len ${LONGEST_RECORD} format raw local0
  log-format '${RECORD}'
  capture response header Content-Length len 20
  http-after-response add-header Server Heroku unless { res.hdr(server) -m found }
  http-after-response allow if { status 100:499 } !{ capture.req.ver HTTP/1.0 }
  http-after-response set-status 502 unless { status 100:999 }
  http-after-response set-status 503 if { status 500 502 504 } { res.hdr(${GIVEN_UP}) -m found }
  http-after-response del-header ${GIVEN_UP} if { status 503 }
  http-after-response set-header Connection close if { capture.req.ver HTTP/1.0 } { res.hdr(transfer-encoding) -m found }

  option disable-h2-upgrade
${OF_A_CONNECTION}
  http-request set-var(txn.host) req.fhdr(host)
  http-request set-var(txn.entry) var(txn.host),host_only,lower,map(${paths.hostsMap})
${PLAIN_REQUESTS}
${challengeRules(paths)}  http-request set-var(txn.name) var(txn.host),host_only,lower,regsub(\\\\.$,) unless { var(txn.entry) -m found }
  http-request set-var(txn.entry) var(txn.name),map(${paths.hostsMap}) unless { var(txn.entry) -m found }
  http-request set-var(txn.entry) var(txn.name),regsub(^[^.]*,*),map(${paths.hostsMap}) unless { var(txn.entry) -m found }
${tls ? redirectRules(tls, ' !is_served !{ stopping }') : ''}  ${CONTINUE}
  http-request track-sc0 var(txn.entry),field(4,/) table held if { var(txn.entry),field(1,/),nbsrv eq 0 } !{ var(txn.entry) -m beg ${NO_SERVER}/ }
  http-request set-var(txn.held) date(0,ms) if { sc0_tracked }
  http-request lua.hold if { sc0_tracked }
  http-request set-var(txn.code) str(H28) if { var(txn.code) -m found } !has_ended { date(0,ms),sub(txn.held) ge ${timeouts.idle - SINCE_LAST_BYTE} }
  http-request deny deny_status 503 if { var(txn.code) -m found }
  http-request set-var-fmt(txn.entry) successor_%[so_name] if { stopping }
${REQUEST_RULES}

  use_backend %[var(txn.entry),field(1,/)]
  default_backend ${NO_SERVER}
`
}

/**
 * After a reload the old worker knows no dyno that came since, and to HAProxy its backends
 * have no server any more (`nbsrv` is 0; not to newer ones), so no request is plain. Whatever still comes to it, on
 * connections it has and from those it holds, it hands on to the new one, and closes after the answer.
 */
function successor({ paths, tls }: RouterSettings): string {
  const plain = successorBackend('http', paths.successorSocket)
  return tls ? `${plain}\n${successorBackend('https', paths.successorTlsSocket)}` : plain
}

function successorBackend(scheme: 'http' | 'https', socket: string): string {
  return `backend successor_${scheme} from http
  timeout server 1d
  timeout tunnel 1d
  http-reuse never
  http-request set-log-level silent
  http-response set-header Connection close unless { status 101 }
  server worker unix@${socket} send-proxy
`
}

/** How many requests each app has that were held, until they end: what H11 is decided by. */
const HELD = `backend held from http
  stick-table type string len 36 size 100k expire 2m store conn_cur
`

/** Answers for apps whose state is an H code, for apps elsewhere, and for unknown hosts. */
function noServer({ paths }: RouterSettings): string {
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

function backends({ servers, pool }: RoutingTable, { timeouts }: RouterSettings): string {
  const serversOf = Map.groupBy(servers, (server) => server.backend)
  const ids = new Set<number>()
  const lines: string[] = []
  for (const kind of BACKEND_KINDS) {
    const rules = backendRules(kind, timeouts)
    for (let slot = 0; slot < pool; slot++) {
      const backend = backendOf(kind, slot)
      lines.push(`backend ${backend} from ${kind}`, rules)
      for (const { name, address, port } of serversOf.get(backend) ?? []) {
        const id = serverId(name, ids)
        ids.add(id)
        lines.push(`  server ${name} ${address}:${port} id ${id} ${SERVER_SETTINGS}`)
      }
    }
  }
  return `${lines.join('\n')}\n`
}

function returns(status: number, file: string): string {
  return `http-request ${page(status, file)}`
}

function page(status: number, file: string): string {
  return `return status ${status} ${PAGE} lf-file ${file}`
}
