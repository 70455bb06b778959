import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'

/**
 * Resolves once the server listens on a Unix socket there, of this mode; one that a killed predecessor left is
 * replaced. Rejects where that cannot be.
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  mode: number,
): Promise<void> {
  rmSync(path, { force: true })
  server.listen(path)
  await once(server, 'listening')
  chmodSync(path, mode)
}
