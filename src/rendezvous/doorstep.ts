/**
 * Connections of which nobody knows yet whose they are. Each has a moment to say so, and where
 * they are many, whoever has waited longest makes way: those who say nothing keep nobody out who
 * says at once who they are.
 */

import type { Socket } from 'node:net'

export interface Doorstep {
  come(socket: Socket): void
  /** It is known, or gone. */
  leave(socket: Socket): void
}

/** `patience`: milliseconds. */
export function doorstep({
  most,
  patience,
}: {
  readonly most: number
  readonly patience: number
}): Doorstep {
  const waiting = new Map<Socket, NodeJS.Timeout>()
  return {
    come(socket) {
      const [longest] = waiting.keys()
      if (longest && waiting.size >= most) turnAway(longest)
      waiting.set(
        socket,
        setTimeout(() => turnAway(socket), patience),
      )
      socket.once('close', () => leave(socket))
    },
    leave,
  }

  function turnAway(socket: Socket): void {
    leave(socket)
    // Not asked to go: who says nothing does not hang up either.
    socket.destroy()
  }

  function leave(socket: Socket): void {
    clearTimeout(waiting.get(socket))
    waiting.delete(socket)
  }
}
