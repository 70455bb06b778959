/**
 * The one port. The first byte of a connection tells TLS from plain HTTP; inside TLS, the
 * first byte tells HTTP from a rendezvous. Whatever way HTTP came, one server answers it:
 * `git` and `logs` have their own paths, and the rest is the Platform API's.
 */

import {
  createServer as createHttpServer,
  type RequestListener,
  type Server as HttpServer,
} from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'

import { MINUTE, pause, SECOND } from '../../lib/clock.ts'
import { backendOf } from './backend-of.ts'
import { beginsHttp, beginsTls, firstByteOf } from './first-bytes.ts'
import { hangUpUnlessTaken } from './hang-up-unless-taken.ts'
import { inTurn } from './in-turn.ts'

export interface FrontDoor {
  readonly port: number
  readonly key: string | Buffer
  readonly certificate: string | Buffer
  readonly http: RequestListener
  /** Is given a TLS connection whose first bytes, still unread, are no HTTP. */
  readonly rendezvous: (socket: TLSSocket) => void
  /** Of all together; as a rule `MOST_CONNECTIONS`. */
  readonly mostConnections?: number
  /** Milliseconds in which a client takes nothing of an answer but a log; as a rule `PATIENCE`. */
  readonly patience?: number
}

export interface OpenDoor {
  readonly port: number
  /** Stops listening, and gives what is under way a moment to end. */
  close(): Promise<void>
}

/** The request ids that the CLI collects take up to 7 kB alone. */
const LARGEST_HEADERS = 32 * 1024
const FAREWELL = SECOND
/** Those of `heroku run` are 2,000 at most, each push and log takes one, and another within. */
const MOST_CONNECTIONS = 4000
/** Then it is hung up on. */
const PATIENCE = MINUTE
/** Of TLS; no client takes as long. */
const HANDSHAKE_PATIENCE = 15 * SECOND

/** Listens on both loopback addresses: clients differ in which one `localhost` is. */
export async function openFrontDoor(door: FrontDoor): Promise<OpenDoor> {
  const http = httpServer(
    inTurn((incoming, reply) => {
      // Who reads a log may stop for as long as they like, by Ctrl-S or in a pager: a reader costs
      // 64 KB, their number is bounded, and L11 tells what they missed.
      if (backendOf(incoming.url ?? '/') !== 'logs') {
        hangUpUnlessTaken(reply, door.patience ?? PATIENCE)
      }
      door.http(incoming, reply)
    }),
  )
  const tls = createTlsServer(
    {
      key: door.key,
      cert: door.certificate,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_PATIENCE,
    },
    (socket) => void welcomeSecured(socket, http, door.rendezvous),
  )
  // A handshake that fails, fails its client; the socket is closed already.
  tls.on('tlsClientError', () => {})
  const serve = noMoreThan(
    door.mostConnections ?? MOST_CONNECTIONS,
    (socket) => void welcome(socket, http, tls),
  )
  const v4 = await listen('127.0.0.1', door.port, serve)
  const { port } = v4.address() as AddressInfo
  // A machine may have no IPv6 at all; then nobody can ask for ::1 either.
  const v6 = await listen('::1', port, serve).catch(withoutIpv6)

  return {
    port,
    async close() {
      v4.close()
      v6?.close()
      http.closeIdleConnections()
      await pause(FAREWELL)
      http.closeAllConnections()
      http.close()
    },
  }
}

function httpServer(listener: RequestListener): HttpServer {
  const server = createHttpServer(
    {
      maxHeaderSize: LARGEST_HEADERS,
      headersTimeout: MINUTE,
      // Pushes and uploads take as long as they take.
      requestTimeout: 0,
    },
    listener,
  )
  // It is handed its connections and never listens; this starts its watch over slow ones.
  server.emit('listening')
  return server
}

async function listen(
  host: string,
  port: number,
  serve: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, serve)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, resolve)
  })
  return server
}

function withoutIpv6(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') return undefined
  throw error
}

/** Hangs up at once on who comes beyond: whoever is in there is served. */
function noMoreThan(most: number, serve: (socket: Socket) => void) {
  let open = 0
  return (socket: Socket) => {
    if (open >= most) return void socket.destroy()
    open += 1
    socket.once('close', () => (open -= 1))
    serve(socket)
  }
}

async function welcome(socket: Socket, http: HttpServer, tls: Server): Promise<void> {
  const first = await firstByteOf(socket)
  if (first === undefined) return
  if (beginsTls(first)) tls.emit('connection', socket)
  else serveHttp(http, socket)
}

async function welcomeSecured(
  socket: TLSSocket,
  http: HttpServer,
  rendezvous: FrontDoor['rendezvous'],
): Promise<void> {
  const first = await firstByteOf(socket)
  if (first === undefined) return
  if (beginsHttp(first)) serveHttp(http, socket)
  else rendezvous(socket)
}

/** Reading its first byte paused the connection; nobody else would have it flow again. */
function serveHttp(http: HttpServer, socket: Socket): void {
  http.emit('connection', socket)
  socket.resume()
}
