import { randomBytes } from 'node:crypto'

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { createWebhook } from '../../actions/create-webhook.ts'
import { updateWebhook } from '../../actions/update-webhook.ts'
import type { App } from '../../model/app.ts'
import { Problem } from '../../model/problem.ts'
import type { Webhook } from '../../model/webhook.ts'
import { inTransaction } from '../../store/queryable.ts'
import { deleteWebhook, findWebhook, webhooksOf } from '../../store/webhooks.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { mustBeInReach } from '../must-be-in-reach.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const SECRET_BYTES = 30
const SECRET_HEADER = 'heroku-webhook-secret'

const WebhookParams = Type.Object({ app: Type.String(), webhook: Type.String() })

const Include = Type.Array(Type.String())
const Level = Type.Union([Type.Literal('notify'), Type.Literal('sync')])
/** As it may stand in a header. */
const HeaderValue = Type.String({
  pattern: '^[\\x21-\\x7e][\\x20-\\x7e]*$',
  maxLength: 4000,
})
/** Null asks for a new one. */
const Secret = Type.Union([HeaderValue, Type.Null()])
const Authorization = Type.Union([HeaderValue, Type.Null()])
const Creation = Type.Object({
  include: Include,
  level: Level,
  url: Type.String(),
  secret: Type.Optional(Secret),
  authorization: Type.Optional(Authorization),
})
const Changes = Type.Partial(Creation)

export const webhooks: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, clock } = deps
  const { secrets, reach } = deps.webhooks

  server.get(
    '/apps/:app/webhooks',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const all = await webhooksOf(pool, app.id)
      const shown = all.map((it) => serializeWebhook(it, app))
      return sendPart(reply, shown, { properties: ['created_at', 'id'] })
    },
  )

  server.post(
    '/apps/:app/webhooks',
    { schema: { params: AppParams, body: Creation }, config: { keepsMuch: true } },
    async ({ params, body }, reply) => {
      const { include, level, url, authorization = null } = body
      const secret = body.secret ?? newSecret()
      const app = await requireApp(pool, params.app)
      await mustBeInReach(url, reach())
      const wish = { include, level, url, secret, authorization, now: clock.now() }
      const made = await inTransaction(pool, (tx) =>
        createWebhook(tx, app.id, wish, secrets),
      )
      // Said this once.
      reply.header(SECRET_HEADER, secret)
      return reply.status(201).send(serializeWebhook(made, app))
    },
  )

  server.get(
    '/apps/:app/webhooks/:webhook',
    { schema: { params: WebhookParams } },
    async ({ params }) => {
      const { app, webhook } = await requireWebhook(params)
      return serializeWebhook(webhook, app)
    },
  )

  server.patch(
    '/apps/:app/webhooks/:webhook',
    { schema: { params: WebhookParams, body: Changes } },
    async ({ params, body }, reply) => {
      const { include, level, url, authorization } = body
      const secret = body.secret === null ? newSecret() : body.secret
      const { app, webhook } = await requireWebhook(params)
      if (url !== undefined) await mustBeInReach(url, reach())
      const changed = await inTransaction(pool, (tx) =>
        updateWebhook(
          tx,
          app.id,
          {
            webhook: webhook.id,
            include,
            level,
            url,
            secret,
            authorization,
            now: clock.now(),
          },
          secrets,
        ),
      )
      if (secret !== undefined) reply.header(SECRET_HEADER, secret)
      return serializeWebhook(changed, app)
    },
  )

  server.delete(
    '/apps/:app/webhooks/:webhook',
    { schema: { params: WebhookParams } },
    async ({ params }) => {
      const { app, webhook } = await requireWebhook(params)
      await deleteWebhook(pool, webhook.id)
      return serializeWebhook(webhook, app)
    },
  )

  async function requireWebhook(params: { app: string; webhook: string }) {
    const app = await requireApp(pool, params.app)
    const webhook = await findWebhook(pool, app.id, params.webhook)
    if (!webhook) throw new Problem('not_found', `Couldn't find that webhook.`)
    return { app, webhook }
  }
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('hex')
}

function serializeWebhook(it: Webhook, app: App) {
  return {
    app: { id: app.id, name: app.name },
    created_at: it.createdAt.toISOString(),
    id: it.id,
    include: [...it.include],
    level: it.level,
    updated_at: it.updatedAt.toISOString(),
    url: it.url,
  }
}
