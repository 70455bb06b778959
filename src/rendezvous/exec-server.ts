/**
 * The SSH server that `heroku ps:exec` and its kin come to. A client is known by the name and
 * the key that were noted for it, and each of its channels is a process inside its dyno: a
 * shell, a command, an SFTP server, or a connection as the dyno would make it. So all it does
 * is held by the dyno's walls, and ends with the dyno; and all of it ends, within seconds, with
 * what let the client in: its token, and what its account may do to the app.
 */

import type { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

import ssh2, {
  type AuthContext,
  type Connection,
  type PublicKeyAuthContext,
  type ServerChannel,
  type ServerConfig,
  type Session,
} from 'ssh2'

import { pause, SECOND } from '../lib/clock.ts'
import { type PlaceLimits, type Places, places } from '../lib/places.ts'
import { connectCommand, publicKeyIn } from '../model/exec.ts'
import { type ExecReservation, findExecReservation } from '../store/exec-reservations.ts'
import { type ExecDeps, openProcess } from './exec-process.ts'
import { refuseExecSession, serveExecSession } from './exec-session.ts'
import { type Unauthenticated, unauthenticated } from './unauthenticated.ts'
import { untilShutOut } from './until-shut-out.ts'

export interface ExecServerDeps extends ExecDeps {
  /** Milliseconds between two looks whether a client may still be here. */
  readonly lookEvery?: number
  /** As a rule `CLIENTS`. */
  readonly clients?: PlaceLimits
  /** Of those of whom nobody knows yet who they are; as a rule `UNKNOWN`. */
  readonly unknown?: { readonly most: number; readonly patience: number }
}

/** Who is in, and of whom nobody knows yet who they are. */
interface Admission {
  readonly unauthenticated: Unauthenticated
  /** By account. */
  readonly clients: Places
}

const IDENT = 'mayfly'
/** An account's, and all. `ps:socks` makes a connection for each of its clients. */
const CLIENTS: PlaceLimits = { ofEach: 50, ofAll: 500 }
const FULL =
  'Not started: as many connections are open as may be, of your account or of all.\r\n'
/** As long as nobody has said who they are, they cost next to nothing. */
const UNKNOWN = { most: 100, patience: 20 * SECOND }
/** Of a client at once. */
const MOST_CHANNELS = 50
const STILL_THERE_EVERY = 15 * SECOND
const STILL_THERE_TIMES = 4
/** Who is told to go has so long to hang up itself. */
const HANGS_UP_WITHIN = SECOND

const relay = readFileSync(join(import.meta.dirname, 'exec-relay.pl'), 'utf8')

/** Not yet listening. `hostKey`: a private key, in OpenSSH's form. */
export function execServer(hostKey: string, deps: ExecServerDeps): Server {
  const config: ServerConfig = {
    hostKeys: [hostKey],
    ident: IDENT,
    keepaliveInterval: STILL_THERE_EVERY,
    keepaliveCountMax: STILL_THERE_TIMES,
  }
  const admission = {
    unauthenticated: unauthenticated(deps.unknown ?? UNKNOWN),
    clients: places(deps.clients ?? CLIENTS),
  }
  return createServer((socket) => {
    admission.unauthenticated.add(socket)
    // One of ssh2's servers for each: it tells of a client only once that has spoken, and not of its socket.
    const ssh = new ssh2.Server(config, (client) =>
      serveClient(client, socket, { ...deps, admission }),
    )
    ssh.injectSocket(socket)
  })
}

function serveClient(
  client: Connection,
  socket: Socket,
  { admission, ...deps }: ExecServerDeps & { readonly admission: Admission },
): void {
  const gone = new AbortController()
  let reservation: ExecReservation | undefined
  let isIn = false
  let channels = 0
  client.once('close', () => gone.abort())
  // Whatever is wrong with a client is its own affair: its connection ends.
  client.on('error', () => {})
  // Answers are small, and each is waited for.
  socket.setNoDelay(true)
  client.on('authentication', (context) => {
    admit(context, deps).then(
      (admitted) => {
        if (!admitted) return context.reject(['publickey'])
        // Without it the client only asks whether the key would do.
        if (context.method === 'publickey' && context.signature) reservation = admitted
        return context.accept()
      },
      (error: unknown) => {
        deps.log.error('cannot tell who a client is', error)
        context.reject(['publickey'])
      },
    )
  })
  client.once('ready', () => {
    // It may have gone while we asked who it is.
    if (!reservation || socket.destroyed) return
    const place = admission.clients.take(reservation.account)
    // It stays among the unauthenticated, to be told.
    if (typeof place !== 'function') return
    isIn = true
    admission.unauthenticated.remove(socket)
    socket.once('close', place)
    void endOnceShutOut(reservation)
  })
  client.on('session', (accept: () => Session, reject: () => void) => {
    if (!reservation || channels >= MOST_CHANNELS) return reject()
    const session = counted(accept())
    if (isIn) serveExecSession(session, reservation.clientUser, deps)
    else refuseExecSession(session, FULL)
  })
  client.on('tcpip', (accept, reject, { destIP, destPort }) => {
    const command = connectCommand(hostFor(destIP), destPort, relay)
    if (!command || !reservation || !isIn || channels >= MOST_CHANNELS) return reject()
    const channel = counted(accept())
    const its = { command, terminal: undefined, shown: undefined }
    void openProcess(channel, reservation.clientUser, { ...its, deps })
  })

  function counted<T extends Session | ServerChannel>(it: T): T {
    channels += 1
    ;(it as EventEmitter).once('close', () => (channels -= 1))
    return it
  }

  async function endOnceShutOut({ clientUser }: ExecReservation): Promise<void> {
    const isLetIn = async () =>
      (await findExecReservation(deps.pool, clientUser)) !== undefined
    const watch = { every: deps.lookEvery, gone: gone.signal, log: deps.log }
    if (!(await untilShutOut(isLetIn, watch))) return
    client.end()
    await pause(HANGS_UP_WITHIN, gone.signal)
    socket.destroy()
  }
}

/** `ps:forward` means the dyno itself by this address. */
function hostFor(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address
}

/** Undefined: it is not who it says, or has not shown it yet, or there is nothing to enter. */
async function admit(
  context: AuthContext,
  { pool }: ExecDeps,
): Promise<ExecReservation | undefined> {
  if (context.method !== 'publickey') return undefined
  const reservation = await findExecReservation(pool, context.username)
  if (reservation?.dyno.state !== 'up') return undefined
  return holdsKey(context, reservation.clientKey) ? reservation : undefined
}

/** A client may ask first whether a key would do; it is let in once it has signed. */
function holdsKey(context: PublicKeyAuthContext, clientKey: string): boolean {
  const key = ssh2.utils.parseKey(publicKeyIn(clientKey) ?? '')
  if (key instanceof Error || !key.getPublicSSH().equals(context.key.data)) return false
  if (!context.signature) return true
  if (!context.blob) return false
  // What it cannot verify it may also return an error for.
  const verified: unknown = key.verify(context.blob, context.signature, context.hashAlgo)
  return verified === true
}
