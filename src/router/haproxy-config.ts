/**
 * HAProxy's configuration as text, complete: a HAProxy started from it serves what the
 * routing table says, with no manager alive. Rules run in the order they stand in.
 */

import { createHash } from 'node:crypto'

import { LONGEST_OF_APPS } from '../model/app-routing.ts'
import { HELD, holdRules } from './hold-rules.ts'
import { mostHeld, tooMany } from './limit-rules.ts'
import { errorPages, GIVEN_UP, noServer, page, pageRules } from './page-rules.ts'
import { APPLICATION_ERROR, MISDIRECTED, NO_SUCH_APP, PAGES, REFUSED } from './pages.ts'
import { LOG_FORMAT, LONGEST_RECORD } from './record-format.ts'
import {
  ADDED,
  answerRules,
  CONTINUE,
  OF_A_CONNECTION,
  PLAIN_REQUESTS,
  REQUEST_RULES,
} from './request-rules.ts'
import type { RouterSettings, RouterTimeouts } from './router-settings.ts'
import {
  BACKEND_KINDS,
  type BackendKind,
  backendOf,
  NO_SERVER,
  type RoutingTable,
} from './routing-table.ts'
import { serverId } from './server-id.ts'
import { SERVER_SETTINGS } from './server-settings.ts'
import { challengeRules, redirectRules, TLS_GLOBALS, tlsBinds } from './tls-rules.ts'
import { affinityRules, wishRules } from './wish-rules.ts'

/**
 * Of before reloads, with connections left; the oldest ends for one more. A reload comes when apps have
 * twice as many backends as at the last one, or with a new Mayfly.
 */
const OLD_WORKERS = 4

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
export function shapeOf(
  { pool }: Pick<RoutingTable, 'pool'>,
  settings: RouterSettings,
): string {
  const text = [
    globalSection(settings, ''),
    defaultsSections(settings),
    frontend(settings),
    successor(settings),
    HELD,
    noServer(settings),
    ...BACKEND_KINDS.map((kind) => backendRules(kind, settings.timeouts)),
    JSON.stringify(pool),
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
  setenv MOST_HELD ${mostHeld(settings)}
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
${errorPages(paths)}

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

/**
 * Such an app's page lies over those of requests that are refused before they are its backend's. Who was held may
 * have come to another app, or to another page of the same.
 */
const MAY_HAVE_PAGES = ' if { var(txn.entry),field(3,/) -m sub routing }'

/** Who is to come by TLS need not wait for a dyno to hear so, nor wake the app. */
function frontend({ paths, listen, asRoot, tls, timeouts }: RouterSettings): string {
  const owner = asRoot ? ' user haproxy group haproxy' : ''
  return `frontend apps from http
${listen.map((address) => `  bind ${address} name http`).join('\n')}
  bind unix@${paths.successorSocket} name http accept-proxy mode 600${owner}
${tls ? tlsBinds(tls, paths, owner) : ''}  log ring@requests len ${LONGEST_RECORD} format raw local0
${LOG_FORMAT}
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
${tls ? redirectRules(tls, ' !is_served !{ stopping }') : ''}${pageRules('error', paths.hostsMap, MAY_HAVE_PAGES)}
  ${CONTINUE}
${holdRules(timeouts)}
  http-request unset-var(txn.page) if { sc0_tracked }
${pageRules('error', paths.hostsMap, `${MAY_HAVE_PAGES} { sc0_tracked }`)}
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
