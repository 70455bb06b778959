/** A client and a dyno that say given bytes through a router, and what each of them got. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { SECOND } from '../src/lib/clock.ts'
import type { ARouter } from './a-router.ts'

/** What a dyno does once a request's head has come. */
export type DynoScript = (socket: Socket) => void

export interface Exchange {
  /** What the dyno got, without what the router adds to every request. */
  readonly heard: string
  /** What the client got, without what the router adds to every answer. */
  readonly got: string
  /** Whether the client's connection was ended, by whom but itself. */
  readonly closed: boolean
}

export interface Exchanger {
  /**
   * The client says `bytes`, and what follows by and by; it goes once it got what `enough`
   * matches, or, without that, once its connection is ended.
   */
  exchange(
    bytes: string,
    script: string | DynoScript,
    enough?: RegExp,
    next?: (client: Socket) => void,
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
  let script: DynoScript = hangUp
  let heard = ''
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let head = ''
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text
      head += text
      // What follows a head, as a body, is no further request.
      if (!/^[A-Z]+ \S+ HTTP\/[^]*\r\n\r\n/.test(head)) return
      head = ''
      script(socket)
    })
  })
  const address = `127.9.${1 + (process.pid % 200)}.1`
  server.listen(0, address)
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  await router.dyno(await router.app(app), { address, port })
  await router.look()
  await router.start()
  await router.look()

  return {
    async exchange(bytes, its, enough, next) {
      heard = ''
      script =
        typeof its === 'string' ? (socket) => void socket.write(its, 'latin1') : its
      const client = connect(router.port, '127.0.0.1')
      let got = ''
      let closed = false
      const done = new Promise<void>((resolve) => {
        client.on('error', () => {})
        client.setEncoding('latin1').on('data', (text: string) => {
          got += text
          if (enough?.test(got)) resolve()
        })
        client.on('end', () => (closed = true))
        client.on('close', () => resolve())
        client.setTimeout(PATIENCE, () => client.destroy())
      })
      client.write(bytes, 'latin1')
      next?.(client)
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
