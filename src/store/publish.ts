import { randomUUID } from 'node:crypto'

import {
  type Happening,
  payloadOf,
  type WebhookEventId,
  type WebhookId,
} from '../model/webhook.ts'
import type { Queryable } from './queryable.ts'
import { wakeWebhook } from './webhooks.ts'

/**
 * Called in the transaction that the happenings speak of: an event each, with a delivery for
 * every webhook of the app that hears of it; nothing where none does.
 *
 * Whoever publishes for a webhook holds its row until the end of the transaction, so that the
 * order of its deliveries is that of the commits. So publish before waking formations and
 * routers, or two transactions could wait for each other.
 */
export async function publish(
  tx: Queryable,
  happenings: readonly Happening[],
): Promise<void> {
  if (happenings.length === 0) return
  const rows = happenings.map((it, position) => {
    const id = randomUUID() as string as WebhookEventId
    const { app, include, at } = it
    return { position, id, app, include, at, payload: payloadOf(id, it) }
  })
  const { rows: told } = await tx.query(
    `with happening as (
       select position, id, app, include, at, payload
         from jsonb_to_recordset($1) as it (
                position integer, id uuid, app uuid, include text, at timestamptz,
                payload jsonb)),
     heard as (
       select h.position, h.id, h.app, h.include, h.at, h.payload, w.id as webhook
         from happening h
         join webhooks w on w.app = h.app and h.include = any(w.include)
        order by w.id, h.position
          for no key update of w),
     event as (
       insert into webhook_events (id, app, include, payload, created_at)
       select distinct on (position) id, app, include, payload, at
         from heard order by position),
     delivery as (
       insert into webhook_deliveries (id, webhook, event, status, created_at, updated_at)
       select gen_random_uuid(), webhook, id, 'pending', at, at
         from heard order by position)
     select distinct webhook from heard order by webhook`,
    [JSON.stringify(rows)],
  )
  for (const { webhook } of told as { webhook: WebhookId }[]) {
    await wakeWebhook(tx, webhook)
  }
}
