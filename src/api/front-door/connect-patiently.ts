import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { pause, SECOND } from '../../lib/clock.ts'

const BETWEEN = 0.1 * SECOND

/** No socket there, none that anybody listens on, or one not yet opened to us. */
const AWAY = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES'])

/**
 * Connects to a unix socket, whose listener may be about to come back. Throws what the last
 * attempt failed with once the signal has aborted.
 */
export async function connectPatiently(
  path: string,
  signal: AbortSignal,
): Promise<Socket> {
  for (;;) {
    try {
      return await connected(path)
    } catch (error) {
      if (signal.aborted || !isAway(error)) throw error
    }
    await pause(BETWEEN, signal)
  }
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path)
  await once(socket, 'connect')
  return socket
}

function isAway(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && AWAY.has(code)
}
