/** A webhook's deliveries as they are made: `src/webhooks/`. */

import type { AccountId } from '../model/ids.ts'
import type {
  AttemptId,
  DeliveryId,
  Include,
  Payload,
  Webhook,
  WebhookId,
} from '../model/webhook.ts'
import type { Queryable } from './queryable.ts'
import type { Credentials } from './webhooks.ts'

export interface Recipient extends Pick<Webhook, 'id' | 'level' | 'url'>, Credentials {
  /** Who owns its app; where that is a team, who founded it. */
  readonly tenant: AccountId
}

export async function findRecipient(
  db: Queryable,
  id: WebhookId,
): Promise<Recipient | undefined> {
  const { rows } = await db.query(
    `select w.id, level, url, secret, authorization_header as "authorization",
            coalesce(t.founder, a.owner) as tenant
       from webhooks w join apps a on a.id = w.app left join teams t on t.id = a.owner
      where w.id = $1`,
    [id],
  )
  return (rows as Recipient[])[0]
}

export interface OpenDelivery {
  readonly id: DeliveryId
  readonly createdAt: Date
  /** Null unless it has failed before. */
  readonly nextAttemptAt: Date | null
  readonly include: Include
  readonly payload: Payload
}

/** The first `limit` deliveries of which nothing is known yet, or that are to be tried again. */
export async function openDeliveries(
  db: Queryable,
  webhook: WebhookId,
  limit: number,
): Promise<OpenDelivery[]> {
  const { rows } = await db.query(
    `select d.id, d.created_at as "createdAt", d.next_attempt_at as "nextAttemptAt",
            e.include, e.payload
       from webhook_deliveries d join webhook_events e on e.id = d.event
      where d.webhook = $1 and d.status not in ('failed', 'succeeded')
      order by d.seq limit $2`,
    [webhook, limit],
  )
  return rows as OpenDelivery[]
}

/** Those that have not been told everything. */
export async function openWebhooks(db: Queryable): Promise<WebhookId[]> {
  const { rows } = await db.query(
    `select id from webhooks w
      where exists (select from webhook_deliveries d
                     where d.webhook = w.id and d.status not in ('failed', 'succeeded'))`,
  )
  return (rows as { id: WebhookId }[]).map((row) => row.id)
}

/**
 * Notes that an attempt is under way; of one that was, nobody knows how it ended. Returns
 * how many there have been, this one included; undefined where the delivery is gone.
 */
export async function beginAttempt(
  db: Queryable,
  delivery: DeliveryId,
  { attempt, now }: { readonly attempt: AttemptId; readonly now: Date },
): Promise<number | undefined> {
  const { rows } = await db.query(
    `with begun as (
       update webhook_deliveries
          set status = 'scheduled', num_attempts = num_attempts + 1,
              next_attempt_at = null, updated_at = $3
        where id = $1
       returning id, num_attempts),
     cut_off as (
       update webhook_attempts
          set status = 'failed', error_class = 'Interrupted', updated_at = $3
        where delivery = $1 and status = 'scheduled'),
     attempt as (
       insert into webhook_attempts (id, delivery, status, created_at, updated_at)
       select $2, id, 'scheduled', $3, $3 from begun)
     select num_attempts as attempts from begun`,
    [delivery, attempt, now],
  )
  return (rows as { attempts: number }[])[0]?.attempts
}

export interface AttemptEnd {
  readonly attempt: AttemptId
  readonly succeeded: boolean
  readonly code: number | null
  readonly error: string | null
  /** Of the delivery that failed; null: there is none. */
  readonly nextAttemptAt: Date | null
  readonly now: Date
}

/**
 * How an attempt ended; nothing where another has begun meanwhile, which gave it up. The
 * delivery's row is taken first, as by all who take both.
 */
export async function endAttempt(db: Queryable, end: AttemptEnd): Promise<void> {
  const status = end.succeeded ? 'succeeded' : 'failed'
  const left = end.nextAttemptAt ? 'retrying' : status
  await db.query(
    `with delivery as (
       update webhook_deliveries
          set status = $6, next_attempt_at = $7, updated_at = $5
        where id = (select delivery from webhook_attempts
                     where id = $1 and status = 'scheduled')
       returning id)
     update webhook_attempts
        set status = $2, code = $3, error_class = $4, updated_at = $5
      where id = $1 and delivery = (select id from delivery)`,
    [end.attempt, status, end.code, end.error, end.now, left, end.nextAttemptAt],
  )
}
