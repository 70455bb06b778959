/**
 * One look at one webhook: what it has not been told yet, it is told. An attempt is written
 * down before it is made and after it has ended; one that was cut off between, by our death,
 * is made again under the same delivery id, for nobody knows whether it arrived.
 */

import type { Pool } from 'pg'

import { type Clock, SECOND } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { systemTimer, type Timer } from '../lib/timer.ts'
import { LONGEST_DELAY, nextAttempt } from '../model/delivery-policy.ts'
import { newId } from '../model/ids.ts'
import type { Reach } from '../model/reach.ts'
import type { WebhookId } from '../model/webhook.ts'
import {
  beginAttempt,
  endAttempt,
  findRecipient,
  type OpenDelivery,
  openDeliveries,
  type Recipient,
} from '../store/webhook-deliveries.ts'
import type { Look } from '../work/loop.ts'
import { post } from './post.ts'
import { renderMessage } from './render-message.ts'
import { tenantPlaces } from './tenant-places.ts'

interface WebhookDeps {
  readonly pool: Pool
  readonly secrets: SecretBox
  readonly clock: Clock
  /** As it is now: it may change while we run. */
  readonly reach: () => Reach
  /** Milliseconds for one attempt. */
  readonly patience?: number
  readonly timer?: Pick<Timer, 'now'>
}

/** Heroku's, and less than the 45 s a look may take. */
const PATIENCE = 30 * SECOND
/** Of a webhook that is only notified; where order counts, it is one. */
const AT_ONCE = 10

/** The look for work kind `webhook`; its subject is the webhook's id. */
export function lookAfterWebhook(deps: WebhookDeps): Look {
  const { pool, clock, timer = systemTimer } = deps
  const ofTenants = tenantPlaces(timer)

  return async (subject, signal) => {
    const recipient = await findRecipient(pool, subject as WebhookId)
    if (!recipient) return Infinity
    const leave = ofTenants.take(recipient.tenant)
    if (typeof leave === 'number') return leave
    try {
      return await tell(recipient, signal)
    } finally {
      leave()
    }
  }

  async function tell(recipient: Recipient, signal: AbortSignal): Promise<number> {
    const inOrder = recipient.level === 'sync'
    const open = await openDeliveries(pool, recipient.id, inOrder ? 1 : AT_ONCE)
    const [first] = open
    if (!first) return Infinity
    const wait = inOrder ? untilDue(first, clock.now()) : 0
    if (wait > 0) return wait

    const outcomes = await Promise.allSettled(
      open.map((it) => attempt(it, recipient, deps, signal)),
    )
    const failure = outcomes.find((it) => it.status === 'rejected')
    if (failure) throw failure.reason
    return 0
  }
}

function untilDue(delivery: OpenDelivery, now: Date): number {
  if (!delivery.nextAttemptAt) return 0
  const left = delivery.nextAttemptAt.getTime() - now.getTime()
  // Nobody was told to wait for longer than that: the clock has been set back since.
  return left > LONGEST_DELAY ? 0 : Math.max(0, left)
}

async function attempt(
  delivery: OpenDelivery,
  recipient: Recipient,
  deps: WebhookDeps,
  signal: AbortSignal,
): Promise<void> {
  const { pool, secrets, clock, reach, patience = PATIENCE } = deps
  const id = newId<'webhook attempt'>()
  const begun = { attempt: id, now: clock.now() }
  const attempts = await beginAttempt(pool, delivery.id, begun)
  if (attempts === undefined) return

  const { authorization } = recipient
  const message = renderMessage({
    webhook: recipient.id,
    url: recipient.url,
    secret: secrets.open(recipient.secret, recipient.id),
    authorization: authorization ? secrets.open(authorization, recipient.id) : undefined,
    delivery: delivery.id,
    attempt: id,
    include: delivery.include,
    payload: delivery.payload,
  })
  const answer = await post(message, { reach: reach(), patience, signal })
  // We were cut off, not they: the attempt is left as one of which nobody knows the end.
  if ('error' in answer) signal.throwIfAborted()

  const code = 'code' in answer ? answer.code : null
  const succeeded = code !== null && code >= 200 && code < 300
  const { createdAt } = delivery
  const now = clock.now()
  const next = nextAttempt({ level: recipient.level, createdAt, attempts }, now)
  await endAttempt(pool, {
    attempt: id,
    succeeded,
    code,
    error: 'error' in answer ? answer.error : null,
    nextAttemptAt: succeeded ? null : (next ?? null),
    now,
  })
}
