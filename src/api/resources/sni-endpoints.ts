import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { SNIEndpoint as ApiSniEndpoint } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { addSniEndpoint, requireSniEndpoint } from '../../actions/add-sni-endpoint.ts'
import { removeSniEndpoint } from '../../actions/remove-sni-endpoint.ts'
import { updateSniEndpoint } from '../../actions/update-sni-endpoint.ts'
import type { App } from '../../model/app.ts'
import { detailsOf } from '../../model/certificate.ts'
import { namedId } from '../../model/named-id.ts'
import { inTransaction } from '../../store/queryable.ts'
import { type SniEndpoint, sniEndpointsOf } from '../../store/sni-endpoints.ts'
import { AppParams } from '../app-params.ts'
import { UP_TO_THE_BODY } from '../bound-bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { partIn, rangeOf, sendFound } from '../range.ts'
import { requireApp } from '../require-app.ts'

const EndpointParams = Type.Object({ app: Type.String(), endpoint: Type.String() })
const Text = Type.String(UP_TO_THE_BODY)
const Body = Type.Object({ certificate_chain: Text, private_key: Text })

const SORTED_BY = ['name', 'id', 'created_at']
/** Shown at once: to show one is to read its certificates, in the thread that answers everybody. */
const LARGEST_PART = 100

/** The certificates of an app: `heroku certs`. */
export const sniEndpoints: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, secrets, clock, limits } = deps
  const one = { schema: { params: EndpointParams } }

  server.get(
    '/apps/:app/sni-endpoints',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const range = rangeOf(request, SORTED_BY, LARGEST_PART)
      const found = await sniEndpointsOf(pool, app.id, partIn(range))
      return sendFound(reply, found, {
        range,
        properties: SORTED_BY,
        show: (it) => serialize(it, app),
      })
    },
  )

  server.get('/apps/:app/sni-endpoints/:endpoint', one, async ({ params }) => {
    const app = await requireApp(pool, params.app)
    return serialize(await requireSniEndpoint(pool, app, params.endpoint), app)
  })

  server.post(
    '/apps/:app/sni-endpoints',
    { schema: { params: AppParams, body: Body }, config: { keepsMuch: true } },
    async ({ params, body, account }, reply) => {
      const app = await requireApp(pool, params.app)
      const wish = { app, ...textsIn(body), account, now: clock.now() }
      const endpoint = await inTransaction(pool, (tx) =>
        addSniEndpoint(tx, wish, { secrets, limits: limits() }),
      )
      return reply.status(201).send(serialize(endpoint, app))
    },
  )

  server.patch(
    '/apps/:app/sni-endpoints/:endpoint',
    { schema: { params: EndpointParams, body: Body } },
    async ({ params, body, account }) => {
      const app = await requireApp(pool, params.app)
      const wish = { ...textsIn(body), account, now: clock.now() }
      const its = { endpoint: params.endpoint, wish }
      return serialize(
        await inTransaction(pool, (tx) => updateSniEndpoint(tx, app, its, secrets)),
        app,
      )
    },
  )

  server.delete(
    '/apps/:app/sni-endpoints/:endpoint',
    one,
    async ({ params, account }) => {
      const app = await requireApp(pool, params.app)
      const its = { endpoint: params.endpoint, account }
      return serialize(
        await inTransaction(pool, (tx) => removeSniEndpoint(tx, app, its)),
        app,
      )
    },
  )
}

function textsIn(body: { certificate_chain: string; private_key: string }) {
  return { chain: body.certificate_chain, privateKey: body.private_key }
}

function serialize(it: SniEndpoint, app: App): ApiSniEndpoint {
  return {
    app: { id: app.id, name: app.name },
    certificate_chain: it.chain,
    created_at: it.createdAt.toISOString(),
    display_name: null,
    domains: [...it.domains],
    id: it.id,
    name: it.name,
    ssl_cert: serializeCertificate(it),
    updated_at: it.updatedAt.toISOString(),
  }
}

function serializeCertificate(it: SniEndpoint) {
  const { hosts, subject, issuer, trusted, selfSigned } = detailsOf(it.chain)
  return {
    // The CLI tells those that renew themselves by it; the schema does not name it.
    acm: it.acm,
    'ca_signed?': trusted,
    cert_domains: [...hosts],
    expires_at: it.expiresAt.toISOString(),
    id: namedId('certificate', it.fingerprint),
    issuer,
    'self_signed?': selfSigned,
    starts_at: it.startsAt.toISOString(),
    subject,
  }
}
