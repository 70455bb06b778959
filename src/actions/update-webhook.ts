import type { SecretBox } from '../lib/secret-box.ts'
import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { faultOfUrl, type Webhook } from '../model/webhook.ts'
import type { Queryable } from '../store/queryable.ts'
import { changeWebhook, findWebhook, wakeWebhook } from '../store/webhooks.ts'
import { includesIn, type WebhookWish } from './create-webhook.ts'
import { lockPresentApp } from './lock-present-app.ts'

/** What is undefined stays as it is. */
export type WebhookChanges = {
  readonly [key in keyof Omit<WebhookWish, 'now'>]: WebhookWish[key] | undefined
} & { readonly webhook: string; readonly now: Date }

/** Also what is on its way to it already goes where it wants it now. `secrets`: the webhooks' own. */
export async function updateWebhook(
  tx: Queryable,
  app: App['id'],
  changes: WebhookChanges,
  secrets: SecretBox,
): Promise<Webhook> {
  await lockPresentApp(tx, app)
  const present = await findWebhook(tx, app, changes.webhook)
  if (!present) throw new Problem('not_found', `Couldn't find that webhook.`)

  const { level = present.level, url = present.url, secret, authorization } = changes
  const fault = faultOfUrl(url)
  if (fault) throw new Problem('invalid_params', fault)
  const include = changes.include ? includesIn(changes.include) : present.include
  const webhook = { ...present, include, level, url, updatedAt: changes.now }
  const sealed = (text: string) => secrets.seal(text, present.id)
  await changeWebhook(tx, {
    ...webhook,
    secret: secret === undefined ? undefined : sealed(secret),
    authorization:
      typeof authorization === 'string' ? sealed(authorization) : authorization,
  })
  await wakeWebhook(tx, present.id)
  return webhook
}
