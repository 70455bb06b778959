import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { setConfigVars } from '../../actions/set-config-vars.ts'
import { inTransaction } from '../../store/queryable.ts'
import { currentConfigVars } from '../../store/releases.ts'
import { AppParams } from '../app-params.ts'
import { UP_TO_THE_BODY } from '../bound-bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

/** All of an app's together are bounded. */
const Value = Type.Union([Type.String(UP_TO_THE_BODY), Type.Null()])
const Changes = Type.Record(Type.String(), Value)

export const configVars: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, secrets, limits } = deps

  server.get(
    '/apps/:app/config-vars',
    { schema: { params: AppParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      return currentConfigVars(pool, app.id, secrets)
    },
  )

  server.patch(
    '/apps/:app/config-vars',
    { schema: { params: AppParams, body: Changes }, config: { keepsMuch: true } },
    async ({ params, body: changes, account }) => {
      const app = await requireApp(pool, params.app)
      return inTransaction(pool, (tx) =>
        setConfigVars(tx, { app: app.id, account, changes }, secrets, limits()),
      )
    },
  )
}
