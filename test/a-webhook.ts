import { newId } from '../src/model/ids.ts'
import type { Webhook } from '../src/model/webhook.ts'
import type { Queryable } from '../src/store/queryable.ts'
import { addWebhook } from '../src/store/webhooks.ts'
import { secrets } from './an-app.ts'

export const SIGNING_SECRET = 'sesame'

/** A webhook as the API writes it, with a secret and an Authorization header. */
export async function aWebhook(
  db: Queryable,
  but: Partial<Webhook> & Pick<Webhook, 'app'>,
  box = secrets,
): Promise<Webhook> {
  const now = new Date()
  const webhook: Webhook = {
    id: newId(),
    include: ['dyno'],
    level: 'notify',
    url: 'http://127.0.0.1:1/',
    createdAt: now,
    updatedAt: now,
    ...but,
  }
  await addWebhook(db, {
    ...webhook,
    secret: box.seal(SIGNING_SECRET, webhook.id),
    authorization: box.seal('Bearer me', webhook.id),
  })
  return webhook
}
