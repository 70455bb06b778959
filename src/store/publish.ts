import { randomUUID } from 'node:crypto'

import { type Happening, payloadOf, type WebhookEventId } from '../model/webhook.ts'
import type { Queryable } from './queryable.ts'

/** The channel on which webhooks' ids are told that have something to be told. */
export const HAPPENINGS = 'webhook_happenings'

/**
 * Called in the transaction that the happenings speak of: an event each, with a delivery for
 * every webhook of the app that hears of it; nothing where none does.
 *
 * No two who publish wait for each other, and the to-do list's rows are not touched: it may be
 * called in the midst of other work. Who listens on the channel wakes the webhooks.
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
  await tx.query(
    `with happening as (
       select position, id, app, include, at, payload
         from jsonb_to_recordset($1) as it (
                position integer, id uuid, app uuid, include text, at timestamptz,
                payload jsonb)),
     heard as (
       select h.position, h.id, h.app, h.include, h.at, h.payload, w.id as webhook
         from happening h
         join webhooks w on w.app = h.app and h.include = any(w.include)
          -- Who removes a webhook meanwhile must not make us fail.
          for key share of w),
     event as (
       insert into webhook_events (id, app, include, payload, created_at)
       select distinct on (position) id, app, include, payload, at
         from heard order by position),
     delivery as (
       insert into webhook_deliveries (id, webhook, event, status, created_at, updated_at)
       select gen_random_uuid(), webhook, id, 'pending', at, at
         from heard order by position)
     select pg_notify($2, webhook::text) from heard group by webhook`,
    [JSON.stringify(rows), HAPPENINGS],
  )
}
