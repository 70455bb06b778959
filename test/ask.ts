/** HTTP to an app's own name. `<app>.localhost` is this machine (RFC 6761), whatever its resolver thinks. */

import {
  type Agent,
  type ClientRequest,
  get,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import type { LookupFunction } from 'node:net'

import { SECOND } from '../src/lib/clock.ts'

const DEADLINE = 60 * SECOND

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Question {
  readonly headers?: Readonly<Record<string, string>>
  /** Undefined: a connection for this request alone. */
  readonly agent?: Agent | undefined
}

/** A request that went out on a kept connection which the other side had just closed. */
export class ClosedMeanwhile extends Error {
  override readonly name = 'ClosedMeanwhile'
}

/** Rejects when the connection fails or no answer comes within a minute. */
export function ask(
  url: string,
  { headers = {}, agent }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(
      url,
      { ...toThisMachine, headers, agent: agent ?? false },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => (body += piece))
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        })
        response.on('error', reject)
      },
    )
    request.on('timeout', () => request.destroy(new Error(`no answer in ${DEADLINE} ms`)))
    request.on('error', (error) => reject(meaningOf(error, request)))
  })
}

const lookup: LookupFunction = (_name, { all }, answer) => {
  if (all) answer(null, [{ address: '127.0.0.1', family: 4 }])
  else answer(null, '127.0.0.1', 4)
}

export const toThisMachine: RequestOptions = { lookup, timeout: DEADLINE }

function meaningOf(error: NodeJS.ErrnoException, request: ClientRequest): Error {
  const untaken = request.reusedSocket && error.code === 'ECONNRESET'
  return untaken ? new ClosedMeanwhile('', { cause: error }) : error
}
