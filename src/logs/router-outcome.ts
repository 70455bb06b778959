/**
 * How HAProxy says that a request ended badly, and which H code that is, in one table; what Heroku's
 * router says of each code, in another.
 */

import type { RequestFields } from './router-record.ts'

export interface Outcome {
  readonly at: 'info' | 'warning' | 'error'
  readonly desc: string
  /** What the line says was answered; otherwise what was. */
  readonly status?: number
  readonly sock?: 'backend' | 'client'
}

export const OUTCOMES = {
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

export type Code = keyof typeof OUTCOMES

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

/** Undefined where nothing went wrong. */
export function codeOf({
  state,
  ended,
  fellSilent,
  status,
  method,
}: RequestFields): Code | undefined {
  if (ended === '--' && state === '-') return undefined
  if (Object.hasOwn(OUTCOMES, state)) return state as Code
  // Ours, and the only ones of their status: a dyno's would not end so. (PH: the body is no body.)
  if (/^(417 LR|400 P[RH]|405 PR|408 cR)$/.test(`${status} ${ended}`)) return 'H26'
  if (status === 502 && ended.startsWith('L')) return 'H25'
  if (ended === 'PD' && HAS_NO_BODY.test(method)) return 'H18'
  const byPhase = fellSilent ? 'H15' : (CODES[ended] ?? CODES[`${ended[0]}-`])
  if (status !== 101) return byPhase
  // After an upgrade either side may hang up. Only silence is a fault, which then is both sides'.
  return /^[cs]/.test(ended) ? 'H15' : undefined
}

/** Of an H26. */
export function causeOf({ status, ended }: RequestFields): string | undefined {
  return /^P[HD]$/.test(ended) ? 'bad chunk' : CAUSES[status]
}

/** What was answered, or would have been. */
export function statusOf(
  { status, ended }: RequestFields,
  code: Code | undefined,
): number {
  const outcome: Outcome | undefined = code && OUTCOMES[code]
  return outcome?.status ?? (ended === 'PD' ? 400 : status)
}
