/** What an app's webhooks were told, and with what success, as its owner sees it. */

import { type AppId, isUuid } from '../model/ids.ts'
import type {
  AttemptId,
  DeliveryId,
  Include,
  Level,
  Payload,
  WebhookEventId,
  WebhookId,
} from '../model/webhook.ts'
import { FORGOTTEN_AT_ONCE } from './forgotten-at-once.ts'
import type { Queryable } from './queryable.ts'

export interface AppDelivery {
  readonly id: DeliveryId
  readonly seq: number
  readonly event: { readonly id: WebhookEventId; readonly include: Include }
  readonly webhook: { readonly id: WebhookId; readonly level: Level }
  readonly status: string
  readonly numAttempts: number
  readonly nextAttemptAt: Date | null
  readonly attempt: AttemptId | null
  readonly attemptStatus: string | null
  readonly attemptCode: number | null
  readonly attemptError: string | null
  readonly attemptCreatedAt: Date | null
  readonly attemptUpdatedAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A part of a list that is sorted by `seq`: from the first to the last, in the order asked for. */
export interface Part {
  readonly from: number | undefined
  readonly to: number | undefined
  readonly descending: boolean
  readonly most: number
}

const deliveries = `select d.id, d.seq::float8 as seq, d.status,
    d.num_attempts as "numAttempts", d.next_attempt_at as "nextAttemptAt",
    d.created_at as "createdAt", d.updated_at as "updatedAt",
    json_build_object('id', e.id, 'include', e.include) as event,
    json_build_object('id', w.id, 'level', w.level) as webhook,
    t.id as attempt, t.status as "attemptStatus", t.code as "attemptCode",
    t.error_class as "attemptError", t.created_at as "attemptCreatedAt",
    t.updated_at as "attemptUpdatedAt"
  from webhooks w
  join webhook_deliveries d on d.webhook = w.id
  join webhook_events e on e.id = d.event
  left join lateral (
    select a.id, a.status, a.code, a.error_class, a.created_at, a.updated_at
      from webhook_attempts a where a.delivery = d.id
     order by a.created_at desc, a.id limit 1) t on true
  where w.app = $1`

/** `status` undefined: whatever it is. */
export async function deliveriesOf(
  db: Queryable,
  app: AppId,
  part: Part & { readonly status: string | undefined },
): Promise<AppDelivery[]> {
  const { rows } = await db.query(
    `${deliveries} and ($2::text is null or d.status = $2) and ${partOn('d', part, 3)}`,
    [app, part.status, ...boundsOf(part)],
  )
  return rows as AppDelivery[]
}

export async function findDelivery(
  db: Queryable,
  app: AppId,
  id: string,
): Promise<AppDelivery | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await db.query(`${deliveries} and d.id = $2`, [app, id])
  return (rows as AppDelivery[])[0]
}

export interface AppWebhookEvent {
  readonly id: WebhookEventId
  readonly seq: number
  readonly include: Include
  readonly payload: Payload
  readonly createdAt: Date
}

const events = `select e.id, e.seq::float8 as seq, e.include, e.payload,
    e.created_at as "createdAt"
  from webhook_events e where e.app = $1`

export async function webhookEventsOf(
  db: Queryable,
  app: AppId,
  part: Part,
): Promise<AppWebhookEvent[]> {
  const { rows } = await db.query(`${events} and ${partOn('e', part, 2)}`, [
    app,
    ...boundsOf(part),
  ])
  return rows as AppWebhookEvent[]
}

export async function findWebhookEvent(
  db: Queryable,
  app: AppId,
  id: string,
): Promise<AppWebhookEvent | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await db.query(`${events} and e.id = $2`, [app, id])
  return (rows as AppWebhookEvent[])[0]
}

/** Forgets what there was to tell before `before`, and all that came of it. */
export async function forgetWebhookEventsBefore(
  db: Queryable,
  before: Date,
): Promise<void> {
  await db.query(
    `delete from webhook_events
      where id = any(array(select id from webhook_events
                            where created_at < $1 order by created_at limit $2))`,
    [before, FORGOTTEN_AT_ONCE],
  )
}

/** The rest of a statement whose parameters from `$first` on are `boundsOf` the part. */
function partOn(table: string, { descending }: Part, first: number): string {
  return `${table}.seq >= coalesce($${first}::bigint, 0)
      and ($${first + 1}::bigint is null or ${table}.seq <= $${first + 1})
    order by ${table}.seq ${descending ? 'desc' : 'asc'} limit $${first + 2}`
}

function boundsOf({ from, to, descending, most }: Part): unknown[] {
  return descending ? [to, from, most] : [from, to, most]
}
