/**
 * Connections that stay, and those that end, on either side: see test/vegur.ts. What headers say about it
 * stands in conformance-answers.test.ts.
 */

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import {
  anExchanger,
  type ClientScript,
  type DynoScript,
  type Exchanger,
} from '../../test/an-exchange.ts'
import { aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import {
  APP,
  CHUNKED,
  CLOSE,
  ended,
  HOST,
  inShort,
  KEEP,
  OK,
  TWO,
  UPGRADE,
} from '../../test/vegur.ts'

const pool = aDatabase()

let asked = 0
const aPath = () => `/p${1000 + ++asked}`
const get = (path: string, headers = '', version = '1.1') =>
  `GET ${path} HTTP/${version}\r\n${HOST}${headers}\r\n`

const large = `${'b'.repeat(300_000)}z`
const clients = ['1.1', '1.0'].flatMap((version) =>
  ['', CLOSE, KEEP].map((header) => ({ version, header })),
)
/** What the dyno sends, whether it hangs up then, what is left of it, and whether HTTP/1.1 goes on after it. */
const answers = [
  ['chunks', `${OK}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`, false, '2\r\nok\r\n0\r\n\r\n'],
  [
    'chunks, and hangs up',
    `${OK}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
    true,
    '2\r\nok\r\n0\r\n\r\n',
  ],
  ['no length, and hangs up', `${OK}\r\nok`, true, 'ok'],
  ['much', `${OK}Content-Length: ${large.length}\r\n\r\n${large}`, false, large],
  [
    'much, and hangs up',
    `${OK}Content-Length: ${large.length}\r\n\r\n${large}`,
    true,
    large,
  ],
  ['much and no length, and hangs up', `${OK}\r\n${large}`, true, large],
] as const

async function checkMatrix(
  exchanger: Exchanger,
  [what, answer, hangsUp, body]: (typeof answers)[number],
) {
  for (const { version, header } of clients) {
    const wishes = version === '1.1' ? header !== CLOSE : header === KEEP
    const isChunked = answer.includes('chunked')
    const stays =
      wishes && !what.includes('no length') && !(isChunked && version === '1.0')
    const dyno: DynoScript = (it) => void (hangsUp ? it.end(answer) : it.write(answer))
    const send = get(aPath(), header, version)
    let heardOnce = ''
    const again: ClientScript = (it) =>
      it.on('data', (text) => {
        const before = heardOnce
        heardOnce += String(text)
        if (!before.endsWith(body) && heardOnce.endsWith(body) && asks-- > 0)
          it.write(send)
      })
    let asks = 1
    const end = body.slice(-7)
    const enough = new RegExp(`${end}[^]*${end}$`)
    const { got, closed } = stays
      ? await exchanger.exchange(send, dyno, enough, again)
      : await exchanger.exchange(send, dyno)
    const its = `${what}, HTTP/${version} ${header}`
    const head = [
      isChunked ? CHUNKED.toLowerCase() : '',
      answer.includes('Length') ? `content-length: ${body.length}\r\n` : '',
      stays && version === '1.0' ? KEEP.toLowerCase() : '',
      stays ? '' : CLOSE.toLowerCase(),
    ].join('')
    assert.equal(got, `${OK}${head}\r\n${body}`.repeat(stays ? 2 : 1), its)
    assert.equal(closed, !stays, its)
  }
}

/** How the dyno ends a kept connection when nothing is asked of it. */
const goodbyes: Readonly<Record<string, (socket: Socket) => void>> = {
  closed: (it) => it.end(),
  reset: (it) => it.resetAndDestroy(),
}

async function checkGoodbye(exchanger: Exchanger, goodbye: (socket: Socket) => void) {
  const path = aPath()
  const dynos = new Set<Socket>()
  const dyno: DynoScript = (it, clientGot) => {
    dynos.add(it)
    it.write(`${OK}${TWO}`)
    if (dynos.size === 1) void clientGot.then(() => goodbye(it))
  }
  const next: ClientScript = (client) =>
    client.once('data', () => {
      const [first] = dynos
      first?.once('close', () => client.write(get(path, CLOSE)))
      // HAProxy closes only what it is done with.
      first?.once('end', () => first.end())
    })
  const { got } = await exchanger.exchange(get(aPath()), dyno, undefined, next)
  assert.equal(
    got,
    `${OK}content-length: 2\r\n\r\nok${ended('content-length: 2\r\n', 'ok')}`,
  )
  assert.equal(dynos.size, 2)
  const line = await aRouterLine(exchanger.router, path)
  assert.equal(inShort(line), 'at=info dyno=web.1 status=200')
}

const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n`
const switched =
  'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n'

/** Who ends an upgraded connection and how, what the client has got in the end, how the dyno sees it end. */
const ends: readonly {
  readonly what: string
  readonly client?: (socket: Socket) => void
  readonly dyno?: (socket: Socket) => void
  readonly got: string
  readonly dynoSaw: readonly string[]
}[] = [
  {
    what: 'its client closes, and hears the dyno to its end',
    client: (it) => it.end('last words'),
    got: `${switched}hi, bye`,
    dynoSaw: ['last words', 'end'],
  },
  {
    what: 'its client resets it',
    client: (it) => it.resetAndDestroy(),
    got: `${switched}hi`,
    dynoSaw: ['reset'],
  },
  {
    what: 'its dyno closes',
    dyno: (it) => it.end(', bye'),
    got: `${switched}hi, bye`,
    dynoSaw: ['end'],
  },
  {
    what: 'its dyno resets it',
    dyno: (it) => it.resetAndDestroy(),
    got: `${switched}hi`,
    dynoSaw: [],
  },
]

async function checkEnd(
  exchanger: Exchanger,
  { client, dyno, got, dynoSaw }: (typeof ends)[number],
) {
  const path = aPath()
  const saw: string[] = []
  let over = false
  const script: DynoScript = (it, clientGot) => {
    it.write(`${SWITCHED}hi`)
    it.on('data', (text) => saw.push(String(text)))
    it.on('error', () => saw.push('reset'))
    it.on('end', () => {
      saw.push('end')
      if (client) it.end(', bye')
    })
    it.on('close', () => (over = true))
    void clientGot.then(() => dyno?.(it))
  }
  const next: ClientScript = (it) => it.once('data', () => client?.(it))
  const it = await exchanger.exchange(get(path, UPGRADE), script, undefined, next)
  assert.equal(it.got, got)
  await until('the dyno`s side is over', () => over)
  assert.deepEqual(saw, dynoSaw)
  const line = await aRouterLine(exchanger.router, path)
  assert.equal(inShort(line), 'at=info dyno=web.1 status=101')
}

test('connections stay and end as at Heroku`s router', async (t) => {
  const router = await aRouter(t, pool)
  const exchanger = await anExchanger(t, router, APP)
  for (const answer of answers)
    await t.test(`a dyno sends ${answer[0]}`, () => checkMatrix(exchanger, answer))
  for (const [how, goodbye] of Object.entries(goodbyes))
    await t.test(`a kept connection that is ${how} by its dyno is not used again`, () =>
      checkGoodbye(exchanger, goodbye),
    )
  for (const end of ends)
    await t.test(`an upgraded connection: ${end.what}`, () => checkEnd(exchanger, end))
})
