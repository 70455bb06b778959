/** The line that Heroku's router would have logged of a request, and what is counted of it. */

import type { AppId } from '../model/ids.ts'
import type { RequestMeasure } from '../model/router-measures.ts'
import {
  causeOf,
  type Code,
  codeOf,
  type Outcome,
  OUTCOMES,
  statusOf,
} from './router-outcome.ts'
import { anyFields, plainFields, type RequestFields } from './router-record.ts'

export interface RouterLine {
  readonly app: AppId
  /** Milliseconds since 1970. */
  readonly at: number
  readonly message: string
  readonly measure: RequestMeasure
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
