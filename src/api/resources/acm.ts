import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

import { refreshAcm, setAcm } from '../../actions/set-acm.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'
import { serializeApp } from './apps.ts'

/** Certificates that come by themselves: `heroku certs:auto`. */
export const acm: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, installation } = deps
  const of = { schema: { params: AppParams } }

  for (const [method, on] of [
    ['POST', true],
    ['DELETE', false],
  ] as const) {
    server.route({
      method,
      url: '/apps/:app/acm',
      ...of,
      handler: async ({ params, account }) => {
        const app = await requireApp(pool, params.app)
        await inTransaction(pool, (tx) => setAcm(tx, app, { on, account }))
        return serializeApp(await requireApp(pool, app.id), installation)
      },
    })
  }

  server.patch('/apps/:app/acm', of, async ({ params }) => {
    const app = await requireApp(pool, params.app)
    await inTransaction(pool, (tx) => refreshAcm(tx, app))
    return serializeApp(await requireApp(pool, app.id), installation)
  })
}
