/**
 * HAProxy's record of a request, as src/router/haproxy-config.ts has it written, and the
 * line that Heroku's router would have logged. How HAProxy says that a request ended
 * badly, and which H code that is, stands in one table.
 */

import type { AppId } from '../model/ids.ts'
import type { RequestMeasure } from '../model/router-measures.ts'

export interface RouterLine {
  readonly app: AppId
  /** Milliseconds since 1970. */
  readonly at: number
  readonly message: string
  readonly measure: RequestMeasure
}

interface Outcome {
  readonly at: 'info' | 'warning' | 'error'
  readonly desc: string
  /** What the line says was answered; otherwise what was. */
  readonly status?: number
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
 * HAProxy's own check, R its resources, I itself, K and D an order, which the manager gives where
 * a dyno is dead; small letters: their time-outs), and in which phase (R request, Q queue, C connect,
 * H header, D data, L last of it). `-` for the phase stands for every one not named. PD: a request's body turns out to be none
 * when its answer is under way; an answer's is SD to HAProxy 2.6, and PD, too, to 3.
 */
export const CODES: Readonly<Record<string, Code>> = {
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
  PD: 'H26',
  'R-': 'H99',
  'I-': 'H99',
  'K-': 'H13',
  KD: 'H18',
  KL: 'H18',
  'D-': 'H13',
  DD: 'H18',
  DL: 'H18',
}

/** Methods whose requests hardly ever have one: what is broken then is the answer's. */
const HAS_NO_BODY = /^(GET|HEAD)$/

/** Of H26, by what was answered. Heroku has no words for 405 and 408, nor for a 400 that no header is to blame for. */
const CAUSES: Readonly<Record<string, string>> = {
  400: 'bad header',
  405: 'method not allowed',
  408: 'request body timeout',
  417: 'unsupported expect header value',
}

const WORD = '[!-~]+'
const TEXT = String.raw`((?:[^"\\]|\\.)*)`
/** The last of them, the answer's length, and `src`, are not told by a router that was not reloaded since an update of Mayfly; `fwd` then has all. */
const NUMBERS = String.raw`(-?\d+) (-?\d+) (-?\d+) (-?\d+) (-?\d+) (\d+)(?: (\d+|-))?`
/** HAProxy cuts a record that is too long. */
const RECORD = new RegExp(
  String.raw`^(\d+) ([-0-9a-f]{36}) ${NUMBERS} (\S\S) (\S+) (${WORD} ${WORD} ${WORD}) method=(${WORD}) request_id=(\S+)` +
    String.raw` dyno=(${WORD})(?: src=(${WORD}))? agent="${TEXT}" host="${TEXT}(?:" fwd="${TEXT}(?:" path="${TEXT})?)?\\?(?:"[ a-z=]{0,6})?$`,
)
/**
 * Of a request that ended well, and in which a client wrote nothing odd, as most do: its words stand in
 * the line as they stand in the record. To read one so takes half the time. Quoted texts are of ASCII's
 * printable characters.
 */
const PLAIN = new RegExp(
  String.raw`^(\d+) ([-0-9a-f]{36}) ${NUMBERS} -- - (${WORD} ${WORD} ${WORD}) method=(${WORD}) (request_id=[\w.:[\]+/=-]+)` +
    String.raw` (dyno=[!-9;=-~]+):${WORD} src=([\w.:]+) agent="" host="([\w.:[\]+/=-]*)" fwd="" path="(\/[ !#-[\]-~]*)"$`,
)

/** Of a record. Times are in milliseconds, and negative for a phase that was not reached. */
export interface RequestFields {
  readonly us: number
  readonly app: AppId
  readonly received: number
  readonly queued: number
  readonly connected: number
  readonly active: number
  readonly status: number
  /** Of the answer, its head included, whoever answered. */
  readonly bytes: string
  /** Of a dyno's answer, as that says: `-` if it does not. */
  readonly length: string
  readonly ended: string
  readonly state: string
  /** HTTP's major version, the scheme and TLS's version. */
  readonly protocol: string
  /** As they stand in the line; `id` and `dyno` with their names. */
  readonly method: string
  readonly path: string
  readonly host: string
  readonly id: string
  readonly fwd: string
  readonly dyno: string
  readonly agent: string
}

/**
 * Undefined for a record that concerns no app, or is none of ours. It may be a text or a
 * byte string: nothing but ASCII is looked at. `legacy`: whose lines are to be as before Router 2.0.
 */
export function parseRouterRecord(
  record: string,
  legacy: ReadonlySet<AppId> = new Set(),
): RouterLine | undefined {
  const fields = plainFields(record) ?? anyFields(record)
  if (!fields) return undefined
  const code = codeOf(fields)
  const times = timesOf(fields, code)
  const isLegacy = legacy.has(fields.app)
  return {
    app: fields.app,
    at: Math.floor(fields.us / 1000),
    message: messageOf(fields, code, { ...times, isLegacy }),
    measure: measureOf(fields, code, times),
  }
}

/** Undefined for one that has to be read by `anyFields`, which says the same of all others. */
export function plainFields(record: string): RequestFields | undefined {
  const found = PLAIN.exec(record)
  if (!found) return undefined
  return {
    ...numbersIn(found),
    ended: '--',
    state: '-',
    protocol: found[10] ?? '',
    method: found[11] ?? '',
    id: found[12] ?? '',
    dyno: found[13] ?? '',
    fwd: found[14] ?? '',
    host: found[15] ?? '',
    path: found[16] ?? '',
    agent: '',
  }
}

/** Undefined for what is no record. */
export function anyFields(record: string): RequestFields | undefined {
  const found = RECORD.exec(record.replaceAll('\n', ' '))
  if (!found) return undefined
  const [ended = '', state = '', protocol = '', method = '', id = ''] = found.slice(10)
  const [server = '', src = '', agent = '', host = '', fwd = '', uri = ''] =
    found.slice(15)
  return {
    ...numbersIn(found),
    ended,
    state,
    protocol,
    method,
    path: printable(pathOf(uri)),
    host: word(host),
    id: `request_id=${word(id)}`,
    fwd: chain(fwd) + src,
    dyno: `dyno=${placeOf(server)}`,
    agent: printable(unescape(agent).replaceAll('"', '')),
  }
}

/** With which every record begins. */
function numbersIn(found: RegExpExecArray) {
  return {
    us: Number(found[1]),
    app: found[2] as AppId,
    received: Number(found[3]),
    queued: Number(found[4]),
    connected: Number(found[5]),
    active: Number(found[6]),
    status: Number(found[7]),
    bytes: found[8] ?? '',
    length: found[9] ?? '-',
  }
}

function measureOf(
  fields: RequestFields,
  code: Code | undefined,
  { connect, service }: Times,
): RequestMeasure {
  const { received, queued } = fields
  return {
    status: Math.max(0, statusOf(fields, code)),
    code: code && Number(code.slice(1)),
    // How long somebody stayed, once it is a pipe of bytes, and not how long an answer took.
    service: fields.status === 101 ? undefined : service,
    connect,
    // HAProxy counts a request that is held until a dyno is up as still being received.
    queue: queued < 0 ? undefined : Math.max(0, received) + queued,
  }
}

function messageOf(
  fields: RequestFields,
  code: Code | undefined,
  { connect, service, isLegacy }: Times & { readonly isLegacy: boolean },
): string {
  const { method, path, host, id, fwd, dyno } = fields
  const outcome: Outcome | undefined = code && OUTCOMES[code]
  const sock = outcome?.sock ? `sock=${outcome.sock} ` : ''
  const fault = outcome ? ` code=${code} desc="${outcome.desc}"` : ''
  const cause = code === 'H26' ? ` cause="${causeOf(fields)}"` : ''
  const agent = code === 'H31' ? ` agent="${fields.agent}"` : ''
  return (
    `${sock}at=${outcome?.at ?? 'info'}${fault}${cause} method=${method} path="${path}" host=${host}` +
    ` ${id} fwd="${fwd}" ${dyno} connect=${inLine(connect)} service=${inLine(service)} status=${statusOf(fields, code)}` +
    ` bytes=${bytesOf(fields, code)} ${protocolOf(fields, isLegacy)}${agent}`
  )
}

function codeOf({ state, ended, status, method }: RequestFields): Code | undefined {
  if (ended === '--' && state === '-') return undefined
  if (Object.hasOwn(OUTCOMES, state)) return state as Code
  // Ours, and the only ones of their status: a dyno's would not end so. (PH: the body is no body.)
  if (/^(417 LR|400 P[RH]|405 PR|408 cR)$/.test(`${status} ${ended}`)) return 'H26'
  if (status === 502 && ended.startsWith('L')) return 'H25'
  if (ended === 'PD' && HAS_NO_BODY.test(method)) return 'H18'
  const byPhase = CODES[ended] ?? CODES[`${ended[0]}-`]
  if (status !== 101) return byPhase
  // After an upgrade either side may hang up. Only silence is a fault, which then is both sides'.
  return /^[cs]/.test(ended) ? 'H15' : undefined
}

function causeOf({ status, ended }: RequestFields): string | undefined {
  return /^P[HD]$/.test(ended) ? 'bad chunk' : CAUSES[status]
}

/** What was answered, or would have been. */
function statusOf({ status, ended }: RequestFields, code: Code | undefined): number {
  const outcome: Outcome | undefined = code && OUTCOMES[code]
  return outcome?.status ?? (ended === 'PD' ? 400 : status)
}

/**
 * What the dyno answered: nothing to whom no dyno was asked for, and 0 where it is a page of ours, or the head
 * alone. Otherwise the body, all of which came if it ended well; without a length, or if it was cut, it is what
 * HAProxy has counted, and that is with the head.
 */
function bytesOf(
  { dyno, method, status, ended, bytes, length }: RequestFields,
  code: Code | undefined,
): string {
  if (dyno === 'dyno=') return ''
  if (code !== undefined) return HAD_BEGUN.test(ended) ? bytes : '0'
  if (method === 'HEAD' || status === 204 || status === 304) return '0'
  return length === '-' ? bytes : length
}

/** Of the phase: the answer was on its way. (LR and LH are what HAProxy answers itself.) */
const HAD_BEGUN = /[DL]$/

/** Milliseconds; undefined for a phase that was not reached. */
interface Times {
  readonly connect: number | undefined
  readonly service: number | undefined
}

function timesOf(
  { received, queued, connected, active }: RequestFields,
  code: Code | undefined,
): Times {
  if (connected < 0) {
    const tried = active - Math.max(0, received) - Math.max(0, queued)
    return {
      connect: code === 'H19' ? Math.max(0, tried) : undefined,
      service: undefined,
    }
  }
  return {
    connect: connected,
    service: Math.max(0, active - received - queued - connected),
  }
}

/** A reloaded router that hands a request on does not say by which TLS it came. */
function protocolOf({ protocol }: RequestFields, isLegacy: boolean): string {
  if (isLegacy) return `protocol=${protocol.split(' ')[1]}`
  const http = `protocol=http${protocol.startsWith('2 ') ? '2.0' : '1.1'}`
  if (!protocol.includes(' https ')) return `${http} tls=false`
  const version = protocol.slice(protocol.lastIndexOf(' ') + 1)
  const spoken =
    version === '-' ? 'unknown' : version.toLowerCase().replace('tlsv', 'tls')
  return `${http} tls=true tls_version=${spoken}`
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
  return printable(
    /[\\" ]/.test(text) ? unescape(text).replaceAll(', ', ',').replaceAll('"', '') : text,
  )
}

/** Whoever reads the line may do so in a terminal, which takes control characters for orders. */
function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, '_')
}

const ODD = /[^\w.:[\]+/=-]/
const ODD_ONES = new RegExp(ODD, 'g')
