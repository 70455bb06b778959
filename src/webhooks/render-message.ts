import { createHmac } from 'node:crypto'

import type {
  AttemptId,
  DeliveryId,
  Include,
  Payload,
  WebhookId,
} from '../model/webhook.ts'
import type { Message } from './post.ts'

export interface Telling {
  readonly webhook: WebhookId
  readonly url: string
  readonly secret: string
  readonly authorization: string | undefined
  readonly delivery: DeliveryId
  readonly attempt: AttemptId
  readonly include: Include
  readonly payload: Payload
}

/** What is sent. The signature is of the body's bytes as they are. */
export function renderMessage(it: Telling): Message {
  const { payload, include } = it
  const body = Buffer.from(
    JSON.stringify({
      ...payload,
      webhook_metadata: {
        attempt: { id: it.attempt },
        delivery: { id: it.delivery },
        event: { id: payload.id, include },
        webhook: { id: it.webhook },
      },
    }),
  )
  const signature = createHmac('sha256', it.secret).update(body).digest('base64')
  return {
    url: it.url,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'mayfly-webhooks',
      'heroku-webhook-hmac-sha256': signature,
      ...(it.authorization !== undefined && { authorization: it.authorization }),
    },
    body,
  }
}
