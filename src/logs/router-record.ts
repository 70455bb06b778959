/**
 * HAProxy's record of a request, as src/router/haproxy-config.ts has it written, and the
 * line that Heroku's router would have logged. How HAProxy says that a request ended
 * badly, and which H code that is, stands in one table.
 */

import type { AppId } from '../model/ids.ts'
import type { RequestMeasure } from '../model/router-measures.ts'

export interface RouterLine {
  readonly app: AppId
  readonly at: Date
  readonly message: string
  readonly measure: RequestMeasure
}

interface Outcome {
  readonly at: 'info' | 'warning' | 'error'
  readonly desc: string
  /** What the line says was answered; otherwise what was. Empty: nothing. */
  readonly status?: number | ''
  readonly sock?: 'backend' | 'client'
}

const OUTCOMES = {
  H10: { at: 'error', desc: 'App crashed' },
  H11: { at: 'error', desc: 'Backlog too deep' },
  H12: { at: 'error', desc: 'Request timeout', status: 503 },
  H13: { at: 'error', desc: 'Connection closed without response', status: 503 },
  H14: { at: 'error', desc: 'No web processes running' },
  H15: { at: 'error', desc: 'Idle connection', status: 503 },
  H17: { at: 'error', desc: 'Poorly formatted HTTP response', status: 503 },
  H18: { at: 'error', desc: 'Server Request Interrupted', status: 503, sock: 'backend' },
  H19: { at: 'error', desc: 'Backend connection timeout', status: 503 },
  H20: { at: 'error', desc: 'App boot timeout' },
  H21: { at: 'error', desc: 'Backend connection refused', status: 503 },
  H24: { at: 'error', desc: 'Forced close', status: '' },
  H25: { at: 'error', desc: 'HTTP restriction: oversized cookie' },
  H26: { at: 'error', desc: 'Request Error' },
  H27: { at: 'warning', desc: 'Client Request Interrupted', status: 499, sock: 'client' },
  H28: { at: 'warning', desc: 'Client Connection Idle', status: 499 },
  H31: { at: 'error', desc: 'Misdirected Request' },
  H34: { at: 'error', desc: 'All up dynos are quarantined' },
  H80: { at: 'info', desc: 'Maintenance mode' },
  H81: { at: 'info', desc: 'Blank app' },
  H99: { at: 'error', desc: 'Platform error', status: 503 },
} as const satisfies Record<string, Outcome>

type Code = keyof typeof OUTCOMES

/**
 * By HAProxy's termination state: who or what ended the request (C client, S dyno, P
 * HAProxy's own check, R its resources, I itself, K and D an order; small letters: their
 * time-outs), and in which phase (R request, Q queue, C connect, H header, D data, L last
 * of it). `-` for the phase stands for every one not named.
 */
const CODES: Readonly<Record<string, Code>> = {
  'C-': 'H27',
  'c-': 'H28',
  'S-': 'H18',
  SC: 'H21',
  SH: 'H13',
  's-': 'H15',
  sC: 'H19',
  sQ: 'H99',
  sH: 'H12',
  PH: 'H17',
  PD: 'H18',
  'R-': 'H99',
  'I-': 'H99',
  'K-': 'H24',
  'D-': 'H24',
}

/** Of H26, by what was answered. */
const CAUSES: Readonly<Record<string, string>> = {
  400: 'bad request',
  405: 'method not allowed',
  408: 'request body timeout',
  417: 'unsupported expect header value',
}

const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`
const RECORD = new RegExp(
  String.raw`^(?<us>\d+) (?<app>[-0-9a-f]{36}) (?<server>\S+) (?<received>-?\d+) (?<queued>-?\d+)` +
    String.raw` (?<connected>-?\d+) (?<active>-?\d+) (?<status>-?\d+) (?<bytes>\d+) (?<ended>\S\S)` +
    String.raw` (?<state>\S+) (?<method>\S+) (?<version>\S+) (?<scheme>\S+) (?<tls>\S+) (?<id>\S+)` +
    ` ${named('uri')} ${named('host')} ${named('fwd')} ${named('agent')}$`,
)

function named(name: string): string {
  return QUOTED.replace('(', `(?<${name}>`)
}

/**
 * Undefined for a record that concerns no app, or is none of ours. It may be a text or a
 * byte string: nothing but ASCII is looked at. `legacy`: whose lines are to be as before Router 2.0.
 */
export function parseRouterRecord(
  record: string,
  legacy: ReadonlySet<AppId> = new Set(),
): RouterLine | undefined {
  const fields = RECORD.exec(record)?.groups as
    Readonly<Record<Field, string>> | undefined
  if (!fields) return undefined
  const at = new Date(Math.floor(Number(fields.us) / 1000))
  const code = codeOf(fields)
  const times = timesOf(fields)
  const isLegacy = legacy.has(fields.app as AppId)
  const message = messageOf(fields, code, { ...times, isLegacy })
  return {
    app: fields.app as AppId,
    at,
    message,
    measure: measureOf(fields, code, times),
  }
}

function measureOf(
  fields: Readonly<Record<Field, string>>,
  code: Code | undefined,
  { connect, service }: Times,
): RequestMeasure {
  const outcome: Outcome | undefined = code && OUTCOMES[code]
  const queued = Number(fields.queued)
  return {
    status: Math.max(0, Number(outcome?.status ?? fields.status)),
    code: code && Number(code.slice(1)),
    service,
    connect,
    // HAProxy counts a request that is held until a dyno is up as still being received.
    queue: queued < 0 ? undefined : Math.max(0, Number(fields.received)) + queued,
  }
}

type Field =
  | 'us'
  | 'app'
  | 'server'
  | 'received'
  | 'queued'
  | 'connected'
  | 'active'
  | 'status'
  | 'bytes'
  | 'ended'
  | 'state'
  | 'method'
  | 'version'
  | 'scheme'
  | 'tls'
  | 'id'
  | 'uri'
  | 'host'
  | 'fwd'
  | 'agent'

function messageOf(
  fields: Readonly<Record<Field, string>>,
  code: Code | undefined,
  { connect, service, isLegacy }: Times & { readonly isLegacy: boolean },
): string {
  const outcome: Outcome | undefined = code && OUTCOMES[code]
  const sock = outcome?.sock ? `sock=${outcome.sock} ` : ''
  const fault = outcome ? ` code=${code} desc="${outcome.desc}"` : ''
  const cause = code === 'H26' ? ` cause="${CAUSES[fields.status]}"` : ''
  const agent =
    code === 'H31' ? ` agent="${unescape(fields.agent).replaceAll('"', '')}"` : ''
  return (
    `${sock}at=${outcome?.at ?? 'info'}${fault}${cause} method=${fields.method}` +
    ` path="${pathOf(fields.uri)}" host=${word(fields.host)} request_id=${word(fields.id)}` +
    ` fwd="${chain(fields.fwd)}" dyno=${placeOf(fields.server)} connect=${inLine(connect)} service=${inLine(service)}` +
    ` status=${outcome?.status ?? fields.status} bytes=${fields.bytes} ${protocolOf(fields, isLegacy)}${agent}`
  )
}

function codeOf({
  state,
  ended,
  status,
}: Readonly<Record<Field, string>>): Code | undefined {
  if (state in OUTCOMES) return state as Code
  // Ours, and the only ones of their status: a dyno's would not end so.
  if (/^(417 LR|400 PR|405 PR|408 cR)$/.test(`${status} ${ended}`)) return 'H26'
  if (status === '502' && ended.startsWith('L')) return 'H25'
  const byPhase = CODES[ended] ?? CODES[`${ended[0]}-`]
  // After an upgrade either side may hang up; only silence is a fault.
  if (status === '101' && byPhase !== 'H15' && byPhase !== 'H28') return undefined
  return byPhase
}

/** Milliseconds; undefined for a phase that was not reached. */
interface Times {
  readonly connect: number | undefined
  readonly service: number | undefined
}

function timesOf(fields: Readonly<Record<Field, string>>): Times {
  const [received, queued, connected, active] = [
    Number(fields.received),
    Number(fields.queued),
    Number(fields.connected),
    Number(fields.active),
  ]
  if (connected < 0) return { connect: undefined, service: undefined }
  return {
    connect: connected,
    service: Math.max(0, active - received - queued - connected),
  }
}

/** A reloaded router that hands a request on does not say by which TLS it came. */
function protocolOf(
  { version, scheme, tls }: Readonly<Record<Field, string>>,
  isLegacy: boolean,
): string {
  if (isLegacy) return `protocol=${scheme}`
  const protocol = `protocol=http${version === '2' ? '2.0' : '1.1'}`
  if (scheme !== 'https') return `${protocol} tls=false`
  const spoken = tls === '-' ? 'unknown' : tls.toLowerCase().replace('tlsv', 'tls')
  return `${protocol} tls=true tls_version=${spoken}`
}

function inLine(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '' : `${milliseconds}ms`
}

/** A request line may name the whole address; the log shows path and query. */
function pathOf(uri: string): string {
  return uri.startsWith('/') ? uri : uri.replace(/^https?:\/\/[^/?]*/i, '') || '/'
}

/** The `web.1` of `web.1:<dyno id>`; empty where no dyno was chosen. */
function placeOf(server: string): string {
  return server.startsWith('<') ? '' : server.slice(0, server.indexOf(':'))
}

/** What stands without quotes must not look like more than one word. */
function word(text: string): string {
  return ODD.test(text) ? unescape(text).replaceAll(ODD_ONES, '_') : text
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\(.)/g, '$1') : text
}

/** Without spaces between the addresses, and without quotes. */
function chain(text: string): string {
  return /[\\" ]/.test(text)
    ? unescape(text).replaceAll(', ', ',').replaceAll('"', '')
    : text
}

const ODD = /[^\w.:[\]+/=-]/
const ODD_ONES = new RegExp(ODD, 'g')
