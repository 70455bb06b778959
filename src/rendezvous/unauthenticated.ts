/**
 * Connections of which nobody knows yet whose they are. Each has a moment to say so, and where
 * they are many, whoever has waited longest makes way: those who say nothing keep nobody out who
 * says at once who they are.
 */

import type { Socket } from 'node:net'

export interface Unauthenticated {
  add(socket: Socket): void
  /** It is known, or gone. */
  remove(socket: Socket): void
}

/** `patience`: milliseconds. */
export function unauthenticated({
  most,
  patience,
}: {
  readonly most: number
  readonly patience: number
}): Unauthenticated {
  const waiting = new Map<Socket, NodeJS.Timeout>()
  return {
    add(socket) {
      const [longest] = waiting.keys()
      if (longest && waiting.size >= most) turnAway(longest)
      waiting.set(
        socket,
        setTimeout(() => turnAway(socket), patience),
      )
      socket.once('close', () => remove(socket))
    },
    remove,
  }

  function turnAway(socket: Socket): void {
    remove(socket)
    // Not asked to go: who says nothing does not hang up either.
    socket.destroy()
  }

  function remove(socket: Socket): void {
    clearTimeout(waiting.get(socket))
    waiting.delete(socket)
  }
}
