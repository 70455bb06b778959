import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'

/** Of a connection. Hardly any client sends one before it has the last one's answer. */
const MOST_AHEAD = 10

/**
 * Hears the requests of a connection one after another. Node hands over at once all that a client
 * has sent, a thousand in one packet, and each would have its own share of what there is.
 */
export function inTurn(listener: RequestListener): RequestListener {
  const ahead = new WeakMap<Socket, number>()
  return (incoming, reply) => {
    // It has one from when the answer before it is out: as a rule at once.
    if (reply.socket) return listener(incoming, reply)
    const { socket } = incoming
    const before = ahead.get(socket) ?? 0
    if (before >= MOST_AHEAD) return void socket.destroy()
    ahead.set(socket, before + 1)
    reply.once('socket', () => {
      ahead.set(socket, (ahead.get(socket) ?? 0) - 1)
      listener(incoming, reply)
    })
  }
}
