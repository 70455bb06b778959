import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Domain as ApiDomain } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { addDomain } from '../../actions/add-domain.ts'
import { removeDomain } from '../../actions/remove-domain.ts'
import { serveDomainWith } from '../../actions/serve-domain-with.ts'
import { type Account, type App, defaultDomainOf } from '../../model/app.ts'
import { hostnameIn } from '../../model/hostname.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import type { Happening } from '../../model/webhook.ts'
import { type CustomDomain, domainsOf } from '../../store/domains.ts'
import { publish } from '../../store/publish.ts'
import { inTransaction, type Queryable } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const DomainParams = Type.Object({ app: Type.String(), domain: Type.String() })
const SniEndpoint = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const Creation = Type.Object({ hostname: Type.String(), sni_endpoint: SniEndpoint })
const Change = Type.Object({ sni_endpoint: SniEndpoint })

export const domains: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, limits, clock } = deps

  server.get(
    '/apps/:app/domains',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const custom = await domainsOf(pool, app.id)
      const all = [serializeDefault(app), ...custom.map((it) => serialize(it, app))]
      return sendPart(reply, all, { properties: ['id', 'hostname'] })
    },
  )

  server.get(
    '/apps/:app/domains/:domain',
    { schema: { params: DomainParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      const main = serializeDefault(app)
      if (params.domain === main.id || params.domain === main.hostname) return main
      return serialize(await requireDomain(pool, app, params.domain), app)
    },
  )

  server.post(
    '/apps/:app/domains',
    { schema: { params: AppParams, body: Creation } },
    async ({ params, body, account }, reply) => {
      const app = await requireApp(pool, params.app)
      const { hostname, sni_endpoint: endpoint } = body
      const shown = await inTransaction(pool, async (tx) => {
        const added = await addDomain(tx, app, { hostname, account }, limits())
        if (endpoint !== null && endpoint !== undefined) {
          await serveDomainWith(tx, app, added, { endpoint, account })
        }
        const domain = await requireDomain(tx, app, added.id)
        return told(tx, { app, by: account, action: 'create', domain })
      })
      return reply.status(201).send(shown)
    },
  )

  server.patch(
    '/apps/:app/domains/:domain',
    { schema: { params: DomainParams, body: Change } },
    async ({ params, body, account }) => {
      const app = await requireApp(pool, params.app)
      const { sni_endpoint: endpoint } = body
      return inTransaction(pool, async (tx) => {
        const before = await requireDomain(tx, app, params.domain)
        if (endpoint === undefined) return serialize(before, app)
        await serveDomainWith(tx, app, before, { endpoint, account })
        const domain = await requireDomain(tx, app, before.id)
        return told(tx, { app, by: account, action: 'update', domain })
      })
    },
  )

  server.delete(
    '/apps/:app/domains/:domain',
    { schema: { params: DomainParams } },
    async ({ params, account }) => {
      const app = await requireApp(pool, params.app)
      if (params.domain === defaultDomainOf(app)) {
        throw new Problem('invalid_params', `An app's default domain cannot be removed.`)
      }
      const domain = await requireDomain(pool, app, params.domain)
      return inTransaction(pool, async (tx) => {
        await removeDomain(tx, app, { domain, account })
        return told(tx, { app, by: account, action: 'destroy', domain })
      })
    },
  )

  /** Tells webhooks, and returns the domain as it is shown. */
  async function told(
    tx: Queryable,
    it: {
      readonly app: App
      readonly by: Account
      readonly action: Happening['action']
      readonly domain: CustomDomain
    },
  ): Promise<ApiDomain> {
    const { app, by: actor, action } = it
    const data = serialize(it.domain, app)
    const happening = { app: app.id, at: clock.now(), actor, action, data }
    await publish(tx, [{ ...happening, include: 'api:domain' }])
    return data
  }
}

/** By id or hostname, however that is written. */
async function requireDomain(
  db: Queryable,
  app: App,
  identity: string,
): Promise<CustomDomain> {
  const hostname = hostnameIn(identity)
  const found = (await domainsOf(db, app.id)).find(
    (it) => it.id === identity || it.hostname === hostname,
  )
  if (!found) throw new Problem('not_found', `Couldn't find that domain name.`)
  return found
}

function serialize(it: CustomDomain, app: App): ApiDomain {
  return {
    acm_status: it.acmStatus,
    acm_status_reason: it.acmStatusReason,
    app: { id: app.id, name: app.name },
    // Where the domain's own record is to lead.
    cname: defaultDomainOf(app),
    created_at: it.createdAt.toISOString(),
    hostname: it.hostname,
    id: it.id,
    kind: 'custom',
    sni_endpoint: it.sniEndpoint,
    // Nothing is waited for.
    status: 'none',
    updated_at: it.updatedAt.toISOString(),
  }
}

function serializeDefault(app: App): ApiDomain {
  const hostname = defaultDomainOf(app)
  return {
    acm_status: null,
    acm_status_reason: null,
    app: { id: app.id, name: app.name },
    cname: null,
    created_at: app.createdAt.toISOString(),
    hostname,
    id: namedId('domain', `${app.id} ${hostname}`),
    kind: 'heroku',
    sni_endpoint: null,
    status: 'succeeded',
    updated_at: app.createdAt.toISOString(),
  }
}
