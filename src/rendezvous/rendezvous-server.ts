import { createServer, type Server } from 'node:net'

import { type RendezvousDeps, serveClient } from './serve-client.ts'

/** The front door's connections, and so its clients, at most. */
const MOST_CLIENTS = 2000

/** Not yet listening. */
export function rendezvousServer(deps: RendezvousDeps): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serveClient(socket, deps).catch((error: unknown) => {
      deps.log.error('a session failed', error)
      socket.destroy()
    })
  })
  server.maxConnections = MOST_CLIENTS
  return server
}
