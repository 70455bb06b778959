import type { SecretBox } from '../lib/secret-box.ts'
import type { App } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import {
  faultOfUrl,
  INCLUDES,
  type Include,
  isInclude,
  type Level,
  MOST_WEBHOOKS,
  type Webhook,
} from '../model/webhook.ts'
import type { Queryable } from '../store/queryable.ts'
import { addWebhook, webhooksOf } from '../store/webhooks.ts'
import { lockPresentApp } from './lock-present-app.ts'

export interface WebhookWish {
  readonly include: readonly string[]
  readonly level: Level
  readonly url: string
  /** What shall sign its requests. */
  readonly secret: string
  /** The header it wants with them. */
  readonly authorization: string | null
  readonly now: Date
}

/** `secrets`: the webhooks' own. */
export async function createWebhook(
  tx: Queryable,
  app: App['id'],
  wish: WebhookWish,
  secrets: SecretBox,
): Promise<Webhook> {
  const { level, url, secret, authorization, now } = wish
  const include = includesIn(wish.include)
  const fault = faultOfUrl(url)
  if (fault) throw new Problem('invalid_params', fault)
  await lockPresentApp(tx, app)
  if ((await webhooksOf(tx, app)).length >= MOST_WEBHOOKS) {
    throw new Problem('invalid_params', `An app has at most ${MOST_WEBHOOKS} webhooks.`)
  }
  const id = newId<'webhook'>()
  const webhook = { id, app, include, level, url, createdAt: now, updatedAt: now }
  await addWebhook(tx, {
    ...webhook,
    secret: secrets.seal(secret, id),
    authorization: authorization === null ? null : secrets.seal(authorization, id),
  })
  return webhook
}

/** Throws a Problem for what nobody can hear of. */
export function includesIn(wished: readonly string[]): Include[] {
  const unknown = wished.find((it) => !isInclude(it))
  if (unknown !== undefined || wished.length === 0) {
    const asked = unknown === undefined ? 'is empty' : `has "${unknown}"`
    throw new Problem(
      'invalid_params',
      `include ${asked}: it takes ${INCLUDES.join(', ')}.`,
    )
  }
  return [...new Set(wished.filter(isInclude))]
}
