/** A client and a dyno that say given bytes through a router, and what each of them got. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { SECOND } from '../src/lib/clock.ts'
import type { ARouter } from './a-router.ts'
import { until } from './until.ts'

/** What a dyno does once a request's head has come, and the client has got something, or all up to that. */
export type DynoScript = (
  socket: Socket,
  clientGot: Promise<void>,
  clientHas: (text: string) => Promise<void>,
) => void
/** What a client does once its request is sent, and a dyno has heard its head. */
export type ClientScript = (socket: Socket, dynoHeard: Promise<void>) => void

export interface Exchange {
  /** What the dyno got, without what the router adds to every request, each of it once. */
  readonly heard: string
  /** What the client got, without what the router adds to every answer, each of it once. */
  readonly got: string
  /** Whether the client's connection was ended, by whom but itself. */
  readonly closed: boolean
}

export interface Exchanger {
  readonly router: ARouter
  /**
   * The client says `bytes`, and what follows by and by; it goes once it got what `enough`
   * matches, or, without that, once its connection is ended.
   */
  exchange(
    bytes: string,
    script: string | DynoScript,
    enough?: RegExp,
    next?: ClientScript,
  ): Promise<Exchange>
}

/** To each request: each of them stands there once, and nobody else's line looks like it. */
const addedToRequests = (port: number) => [
  /^via: 1\.1 heroku-router\r\n/m,
  /^x-request-id: [-0-9a-f]{36}\r\n/m,
  /^x-forwarded-for: 127\.0\.0\.1\r\n/m,
  /^x-forwarded-proto: http\r\n/m,
  new RegExp(`^x-forwarded-port: ${port}\\r\\n`, 'm'),
  /^x-request-start: \d{13}\r\n/m,
]

/** To each answer of a dyno. A `Server` stands in all of them once, be it the dyno's own. */
const VIA = /^via: 1\.1 heroku-router\r\n/m
const SERVER = /^server: Heroku\r\n/m
const ANY_SERVER = /^server: /gim

const PATIENCE = 20 * SECOND

/** `app`'s only dyno, in front of a router that runs. */
export async function anExchanger(
  t: TestContext,
  router: ARouter,
  app: string,
): Promise<Exchanger> {
  const exchanger = await aDyno(t, router, app)
  await runs(router)
  return exchanger
}

/** One for each app, to be used at once. */
export async function exchangers(
  t: TestContext,
  router: ARouter,
  apps: readonly string[],
): Promise<readonly Exchanger[]> {
  const all = []
  for (const app of apps) all.push(await aDyno(t, router, app))
  await runs(router)
  return all
}

async function runs(router: ARouter): Promise<void> {
  await router.look()
  await router.start()
  await router.look()
}

let dynos = 0

async function aDyno(t: TestContext, router: ARouter, app: string): Promise<Exchanger> {
  let script: DynoScript = hangUp
  /** Heads, as they are without what is added to them, and what is none. */
  let heard: { text: string }[] = []
  let amiss: string[] = []
  let dynoHeard = Promise.withResolvers<void>()
  let clientGot = Promise.withResolvers<void>()
  let got = ''
  const added = addedToRequests(router.port)
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let piece: { text: string } | undefined
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      if (!piece) heard.push((piece = { text: '' }))
      piece.text += text
      // What follows a head, as a body, is no further request.
      const [head] = /^[A-Z]+ \S+ HTTP\/[^]*?\r\n\r\n/.exec(piece.text) ?? []
      if (head === undefined) return
      piece.text = `${without(head, added, amiss)}${piece.text.slice(head.length)}`
      piece = undefined
      dynoHeard.resolve()
      script(socket, clientGot.promise, (end) =>
        until(`the client has ${end}`, () => got.endsWith(end)),
      )
    })
  })
  const address = `127.9.${1 + (process.pid % 200)}.${++dynos}`
  server.listen(0, address)
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  await router.dyno(await router.app(app), { address, port })

  return {
    router,
    async exchange(bytes, its, enough, next) {
      heard = []
      amiss = []
      dynoHeard = Promise.withResolvers<void>()
      clientGot = Promise.withResolvers<void>()
      script =
        typeof its === 'string' ? (socket) => void socket.write(its, 'latin1') : its
      const client = connect(router.port, '127.0.0.1')
      got = ''
      let closed = false
      const done = new Promise<void>((resolve) => {
        client.on('error', () => {})
        client.setEncoding('latin1').on('data', (text: string) => {
          got += text
          clientGot.resolve()
          if (enough?.test(got)) resolve()
        })
        client.on('end', () => (closed = true))
        client.on('close', () => resolve())
        client.setTimeout(PATIENCE, () => client.destroy())
      })
      client.write(bytes, 'latin1')
      next?.(client, dynoHeard.promise)
      await done
      client.destroy()
      const answers = got.replaceAll(ANSWER, (head) => answerOf(head, amiss))
      assert.deepEqual(amiss, [])
      return { heard: heard.map((it) => it.text).join(''), got: answers, closed }
    },
  }
}

/** Before anything is asked of it. */
function hangUp(socket: Socket): void {
  socket.destroy()
}

/** A head, once it is there as a whole. No body of a test looks like one. */
const ANSWER = /HTTP\/1\.[01] \d+ [^\r]*\r\n(?:[^\r]+\r\n)*\r\n/g

/** One without what the router adds; `amiss`: to which it goes what it should have added. */
function answerOf(head: string, amiss: string[]): string {
  if (AS_IT_IS.test(head)) return head
  const isOurs = OWN.test(head)
  if (isOurs && VIA.test(head)) amiss.push(`a Via of nobody: ${head}`)
  if (head.match(ANY_SERVER)?.length !== 1) amiss.push(`not one Server: ${head}`)
  return without(head.replace(SERVER, ''), isOurs ? [] : [VIA], amiss)
}

/** What HAProxy has no rules for. */
const AS_IT_IS = /^HTTP\/1\.1 (100|103) |\r\nContent-length: /
/** The router's pages, and its only other answer. */
const OWN = /^HTTP\/1\.1 417 |\r\ncache-control: no-cache, no-store\r\n/

/** Each of `added` once. */
function without(head: string, added: readonly RegExp[], amiss: string[]): string {
  let rest = head
  for (const header of added) {
    const before = rest
    rest = rest.replace(header, '')
    if (rest === before || header.test(rest))
      amiss.push(`${header.source}: not once in ${head}`)
  }
  return rest
}
