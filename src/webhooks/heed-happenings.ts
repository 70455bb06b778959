/**
 * Puts webhooks on the to-do list when there is something to tell them. Whoever publishes
 * leaves that to us, for it must not wait for a row of the list in the midst of its work.
 */

import type { Pool } from 'pg'

import { MINUTE, pause } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { WebhookId } from '../model/webhook.ts'
import { listen } from '../store/listen.ts'
import { HAPPENINGS } from '../store/publish.ts'
import { openWebhooks } from '../store/webhook-deliveries.ts'
import { wakeWebhook } from '../store/webhooks.ts'

interface HappeningDeps {
  readonly pool: Pool
  readonly log: Log
}

/** Should a notification be lost. */
const POLL = MINUTE

export async function heedHappenings(
  { pool, log }: HappeningDeps,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    listen(pool, HAPPENINGS, (webhook) => void heed(webhook), { log, signal }),
    pollNowAndThen(),
  ])

  /** An empty name stands for whichever were missed. */
  async function heed(webhook: string): Promise<void> {
    try {
      const woken = webhook === '' ? await openWebhooks(pool) : [webhook as WebhookId]
      for (const id of woken) await wakeWebhook(pool, id)
    } catch (error) {
      if (!signal.aborted) log.error('cannot wake webhooks', error)
    }
  }

  async function pollNowAndThen(): Promise<void> {
    while (!signal.aborted) {
      await pause(POLL, signal)
      if (!signal.aborted) await heed('')
    }
  }
}
