import type { Duplex } from 'node:stream'

import { SECOND } from '../../lib/clock.ts'
import { frame, framesIn } from '../../lib/frames.ts'
import type { Log } from '../../lib/log.ts'
import { connectPatiently } from './connect-patiently.ts'

const PATIENCE = 5 * SECOND
/** Its first record is thrown away by the client. */
const AWAY = ['rendezvous\r\n', "Mayfly's rendezvous is not running: try again.\r\n"]

/**
 * Hands a decrypted connection to `rendezvous`, at a unix socket. What is one record of TLS
 * stays one piece, both ways: the CLI tells things by it. Resolves when it is over.
 */
export async function relayRendezvous(
  client: Duplex,
  path: string,
  log: Log,
): Promise<void> {
  client.on('error', () => {
    // It is gone, and 'close' says so.
  })
  const rendezvous = await connectPatiently(path, AbortSignal.timeout(PATIENCE)).catch(
    (error: unknown) => log.error('cannot reach rendezvous', error),
  )
  if (!rendezvous) {
    for (const text of AWAY) await written(client, Buffer.from(text))
    return void client.end()
  }
  rendezvous.on('error', () => {})
  client.once('end', () => rendezvous.end())
  client.once('close', () => rendezvous.destroy())
  client.on('data', (record: Buffer) => {
    if (rendezvous.write(frame(record))) return
    client.pause()
    rendezvous.once('drain', () => client.resume())
  })
  client.resume()

  try {
    for await (const record of framesIn(rendezvous)) {
      // One of nothing only asks whether we are there.
      if (record.length > 0) await written(client, record)
    }
    client.end()
  } catch {
    client.destroy()
  }
}

/** Two that were written at once could become one, torn in two elsewhere. */
function written(client: Duplex, record: Buffer): Promise<void> {
  return new Promise((resolve) => {
    // Called with an error too; then there is nobody to write to any more.
    client.write(record, () => resolve())
  })
}
