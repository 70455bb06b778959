/**
 * For Heroku's router case by case, after the groups of the tests of vegur, which carried Heroku's
 * requests for ten years: what a client says, what the dyno gets and says, what the client gets.
 */

import assert from 'node:assert/strict'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { pause } from '../src/lib/clock.ts'
import { APPLICATION_ERROR, REFUSED } from '../src/router/pages.ts'
import { aRouterLine } from './a-router-line.ts'
import type { ARouter } from './a-router.ts'
import {
  type ClientScript,
  type DynoScript,
  type Exchanger,
  exchangers,
} from './an-exchange.ts'
import { HAPROXY_3 } from './haproxy-of-here.ts'

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
/** The same, on a connection that goes on. */
export const put = (headers: string, body: string) => `${ask(headers, 'POST')}${body}`
/** An answer after which the client is hung up on. */
export const ended = (headers: string, body: string) =>
  `${OK}${headers}connection: close\r\n\r\n${body}`

/** Lines, as `play` compares them. */
export const WELL = 'at=info dyno=web.1 status=200'
export const NO_HTTP =
  'at=error code=H17 desc="Poorly formatted HTTP response" dyno=web.1 status=503'

/** Where HAProxy has others than Node. */
const REASONS: Readonly<Record<number, string>> = { 408: 'Request Time-out' }

/** A page of the router's own, after which the client is hung up on, as `inOrder` has it. */
export function aPage(status: number, html: string): string {
  const body = html.replaceAll('%[var(txn.page)]', '').replaceAll('%%', '%')
  return inOrder(
    `HTTP/1.1 ${status} ${REASONS[status] ?? STATUS_CODES[status]}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      'cache-control: no-cache, no-store\r\ncontent-type: text/html; charset=utf-8\r\n' +
      `connection: close\r\n\r\n${Buffer.from(body).toString('latin1')}`,
  )
}

/** HAProxy's own words for what it cannot read at all; the log has no line of it. */
export const UNREADABLE =
  'HTTP/1.1 400 Bad request\r\nContent-length: 90\r\nCache-Control: no-cache\r\nConnection: close\r\n' +
  'Content-Type: text/html\r\n\r\n<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n</body></html>\n'

/** By the router's own pages, with the client hung up on. */
export const REFUSED_AS: Readonly<Record<number, string>> = Object.fromEntries(
  REFUSED.map(({ status, html }) => [status, aPage(status, html)]),
)
export const FAILED = aPage(503, APPLICATION_ERROR.html)

/** The dyno says one after the other: the second once the client has got the first. */
export function inPieces(first: string, ...rest: readonly string[]): DynoScript {
  return (it, clientGot) => {
    it.write(first, 'latin1')
    void clientGot.then(() => sayLater(it, rest))
  }
}

/** The client goes on, one after the other, once the dyno has heard of it. */
export function later(...texts: readonly string[]): ClientScript {
  return (it, dynoHeard) =>
    void dynoHeard.then(() => pause(30)).then(() => sayLater(it, texts))
}

function sayLater(it: Socket, [first, ...rest]: readonly string[]): void {
  if (first === undefined || it.destroyed) return
  it.write(first, 'latin1')
  setTimeout(() => sayLater(it, rest), 30)
}

/** With its headers in the order of the alphabet: those of the router's own come in any. */
export function inOrder(answer: string): string {
  return answer
    .split('\r\n\r\n')
    .map((part) => {
      const [status = '', ...headers] = part.split('\r\n')
      return [status, ...headers.toSorted()].join('\r\n')
    })
    .join('\r\n\r\n')
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
  readonly next?: ClientScript
  /** Of its line in the log, without what is the same in all: see `inShort`. */
  readonly line?: string | RegExp
  /** What is otherwise where HAProxy is 3 or newer. */
  readonly by3?: Partial<Pick<Row, 'heard' | 'got' | 'line'>>
}

/** Group to its cases. */
export type Cases = Readonly<Record<string, readonly Row[]>>

/** One after the other; `exchanger`: of the app that `HOST` names. */
export async function play(
  t: TestContext,
  exchanger: Exchanger,
  cases: Cases,
): Promise<void> {
  for (const [group, rows] of Object.entries(cases))
    for (const row of rows)
      await t.test(`${group}: ${row.what}`, () => playRow(exchanger, APP, row))
}

/** All at once, where time passes: each has an app of its own. */
export async function playAtOnce(
  t: TestContext,
  router: ARouter,
  cases: Cases,
): Promise<void> {
  const all = Object.entries(cases)
    .flatMap(([group, rows]) =>
      rows.map((row) => ({ row, name: `${group}: ${row.what}` })),
    )
    .map((it, nth) => ({ ...it, app: `${APP}-${nth}` }))
  const apart = await exchangers(
    t,
    router,
    all.map(({ app }) => app),
  )
  const played = all.map(async ({ row, name, app }, nth) => {
    const exchanger = apart[nth]
    assert.ok(exchanger)
    await t.test(name, () => playRow(exchanger, app, row))
  })
  await Promise.all(played)
}

async function playRow(exchanger: Exchanger, app: string, row: Row): Promise<void> {
  const { send, dyno, heard, got, enough, next, line } = {
    ...row,
    ...(HAPROXY_3 && row.by3),
  }
  const [usual, own] = [`${APP}.localhost`, `${app}.localhost`]
  // Its own path, by which its line is known.
  const path = line === undefined ? '/p' : `/p${++paths}`
  const bytes = send.replace('/p ', `${path} `).replaceAll(usual, own)
  const it = await exchanger.exchange(bytes, dyno, enough, next)
  mustBe(inOrderIfOurs(it.got), got)
  if (heard !== undefined)
    mustBe(it.heard.replace(`${path} `, '/p ').replaceAll(own, usual), heard)
  if (line !== undefined) {
    const its = await aRouterLine(exchanger.router, path)
    mustBe(inShort(its.replaceAll(own, usual)), line)
  }
}

let paths = 0

/**
 * Of a line that says what it should of any request to `APP` the rest: `at=error code=… desc="…" dyno=… status=…`.
 * Both times and the bytes stand in it if there is a dyno, for one that takes no connection is in no row.
 */
export function inShort(line: string): string {
  const found =
    /^((?:sock=\w+ )?at=\w+(?: .*)?) method=[A-Z]+ path="\/p\d+" host=vegur\.localhost request_id=[-0-9a-f]{36} fwd="127\.0\.0\.1" (dyno=(?= connect= service= .* bytes= )|dyno=web\.1(?= connect=\d+ms service=\d+ms .* bytes=\d)) connect=\w* service=\w* (status=\d+) bytes=\d* protocol=http1\.1 tls=false$/.exec(
      line,
    )
  assert.ok(found, line)
  const [, start = '', dyno = '', status = ''] = found
  return `${start} ${dyno} ${status}`
}

/** A page of the router's own has its headers in any order. */
function inOrderIfOurs(got: string): string {
  return got.includes('cache-control: no-cache, no-store\r\n') ? inOrder(got) : got
}

function mustBe(is: string, expected: string | RegExp): void {
  if (expected instanceof RegExp) assert.match(is, expected)
  else assert.equal(is, expected)
}
