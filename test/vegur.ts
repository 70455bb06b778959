/**
 * For Heroku's router case by case, after the groups of the tests of vegur, which carried Heroku's
 * requests for ten years: what a client says, what the dyno gets and says, what the client gets.
 */

import assert from 'node:assert/strict'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'

import type { DynoScript, Exchanger } from './an-exchange.ts'

export const APP = 'vegur'

export const HOST = 'Host: vegur.localhost\r\n'
export const host = 'host: vegur.localhost\r\n'
export const CLOSE = 'Connection: close\r\n'
export const KEEP = 'Connection: keep-alive\r\n'
export const OK = 'HTTP/1.1 200 OK\r\n'
export const TWO = 'Content-Length: 2\r\n\r\nok'
export const CHUNKED = 'Transfer-Encoding: chunked\r\n'
export const UPGRADE = 'Connection: upgrade\r\nUpgrade: foo\r\n'

export const ask = (headers = CLOSE, method = 'GET', version = '1.1') =>
  `${method} /p HTTP/${version}\r\n${HOST}${headers}\r\n`
export const post = (headers: string, body: string) =>
  `${ask(`${CLOSE}${headers}`, 'POST')}${body}`
/** An answer after which the client is hung up on. */
export const ended = (headers: string, body: string) =>
  `${OK}${headers}connection: close\r\n\r\n${body}`

/** A page of the router's own, after which the client is hung up on, as `inOrder` has it. */
export function aPage(status: number, html: string): string {
  const body = html.replaceAll('%[var(txn.page)]', '').replaceAll('%%', '%')
  return inOrder(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      'cache-control: no-cache, no-store\r\ncontent-type: text/html; charset=utf-8\r\n' +
      `connection: close\r\n\r\n${Buffer.from(body).toString('latin1')}`,
  )
}

/** With its headers in the order of the alphabet: those of the router's own come in any. */
export function inOrder(answer: string): string {
  const [head = '', ...body] = answer.split('\r\n\r\n')
  const [status = '', ...headers] = head.split('\r\n')
  return [[status, ...headers.toSorted()].join('\r\n'), ...body].join('\r\n\r\n')
}

export interface Row {
  readonly what: string
  readonly send: string
  readonly dyno: string | DynoScript
  /** All that the dyno gets; left out: not looked at. */
  readonly heard?: string | RegExp
  readonly got: string | RegExp
  /** The client stays until this; left out: until it is hung up on. */
  readonly enough?: RegExp
  /** What the client does after it has sent that. */
  readonly next?: (client: Socket) => void
}

/** Group to its cases. */
export type Cases = Readonly<Record<string, readonly Row[]>>

/** `exchanger`: of the app that `HOST` names. */
export async function play(
  t: TestContext,
  exchanger: Exchanger,
  cases: Cases,
): Promise<void> {
  for (const [group, rows] of Object.entries(cases)) {
    for (const { what, send, dyno, heard, got, enough, next } of rows) {
      await t.test(`${group}: ${what}`, async () => {
        const it = await exchanger.exchange(send, dyno, enough, next)
        mustBe(it.got, got)
        if (heard !== undefined) mustBe(it.heard, heard)
      })
    }
  }
}

function mustBe(is: string, expected: string | RegExp): void {
  if (expected instanceof RegExp) assert.match(is, expected)
  else assert.equal(is, expected)
}
