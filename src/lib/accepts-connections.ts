import { connect } from 'node:net'

/**
 * Whether somebody takes connections there: a Unix socket, or a port. `patience`: milliseconds, after which nobody does.
 */
export function acceptsConnections(
  to: { readonly path: string } | { readonly host: string; readonly port: number },
  patience: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, timeout: patience })
    const answer = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
    socket.once('timeout', () => answer(false))
  })
}
