/**
 * LISTEN with a connection of its own, made again whenever it is lost. Notifications are
 * hints: whoever gets none must still find out by looking, so `heard` is also called
 * after each (re)connection.
 */

import { Client, type Pool } from 'pg'

import { pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

export async function listen(
  pool: Pool,
  channel: string,
  heard: (payload: string) => void,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await listenOnce(pool, channel, heard, signal)
    } catch (error) {
      log.error('lost the connection to listen on', error, { channel })
    }
    await pause(SECOND / 2, signal)
  }
}

async function listenOnce(
  pool: Pool,
  channel: string,
  heard: (payload: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const client = new Client(pool.options)
  const ended = new Promise<void>((resolve, reject) => {
    client.on('error', reject)
    client.on('end', () => resolve())
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  try {
    await client.connect()
    client.on('notification', (it) => heard(it.payload ?? ''))
    await client.query(`listen ${client.escapeIdentifier(channel)}`)
    heard('')
    await ended
  } finally {
    await client.end().catch(() => {})
  }
}
