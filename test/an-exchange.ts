/** A client and a dyno that say given bytes through a router, and what each of them got. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { SECOND } from '../src/lib/clock.ts'
import type { ARouter } from './a-router.ts'

/** What a dyno does once a request's head has come, and the client has got something. */
export type DynoScript = (socket: Socket, clientGot: Promise<void>) => void
/** What a client does once its request is sent, and a dyno has heard its head. */
export type ClientScript = (socket: Socket, dynoHeard: Promise<void>) => void

export interface Exchange {
  /** What the dyno got, without what the router adds to every request. */
  readonly heard: string
  /** What the client got, without what the router adds to every answer. */
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

const ADDED = [
  /^(x-request-id|x-request-start|x-forwarded-(for|proto|port)|via): .*\r\n/gim,
  /^(server: Heroku|via: 1\.1 heroku-router)\r\n/gim,
] as const

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
  let heard = ''
  let dynoHeard = Promise.withResolvers<void>()
  let clientGot = Promise.withResolvers<void>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let head = ''
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text
      head += text
      // What follows a head, as a body, is no further request.
      if (!/^[A-Z]+ \S+ HTTP\/[^]*\r\n\r\n/.test(head)) return
      head = ''
      dynoHeard.resolve()
      script(socket, clientGot.promise)
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
      heard = ''
      dynoHeard = Promise.withResolvers<void>()
      clientGot = Promise.withResolvers<void>()
      script =
        typeof its === 'string' ? (socket) => void socket.write(its, 'latin1') : its
      const client = connect(router.port, '127.0.0.1')
      let got = ''
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
      return { heard: without(heard, ADDED[0]), got: without(got, ADDED[1]), closed }
    },
  }
}

/** Before anything is asked of it. */
function hangUp(socket: Socket): void {
  socket.destroy()
}

/** In heads alone: a body may say the same. */
function without(text: string, added: RegExp): string {
  return text.replaceAll(added, '')
}
