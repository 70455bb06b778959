import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Domain as ApiDomain } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { type App, defaultDomainOf } from '../../model/app.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import type { Deps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const AppParams = Type.Object({ app: Type.String() })
const DomainParams = Type.Object({ app: Type.String(), domain: Type.String() })

/** An app has one domain: the default one. */
export const domains: FastifyPluginAsyncTypebox<Deps> = async (server, { pool }) => {
  server.get(
    '/apps/:app/domains',
    { schema: { params: AppParams } },
    async ({ params }) => [defaultDomain(await requireApp(pool, params.app))],
  )

  server.get(
    '/apps/:app/domains/:domain',
    { schema: { params: DomainParams } },
    async ({ params }) => {
      const domain = defaultDomain(await requireApp(pool, params.app))
      if (params.domain !== domain.id && params.domain !== domain.hostname) {
        throw new Problem('not_found', `Couldn't find that domain name.`)
      }
      return domain
    },
  )
}

function defaultDomain(app: App): ApiDomain {
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
