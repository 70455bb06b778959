import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { enterDyno } from '../../actions/enter-dyno.ts'
import { attachUrl } from '../../model/attach-url.ts'
import { placeOf } from '../../model/dyno.ts'
import { Problem } from '../../model/problem.ts'
import { serializeDyno } from '../../model/serialize-dyno.ts'
import { terminalSize } from '../../model/terminal.ts'
import { dynosOf } from '../../store/app-dynos.ts'
import { inTransaction } from '../../store/queryable.ts'
import { OF_A_COMMAND, UP_TO_THE_BODY } from '../bound-bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const Params = Type.Object({ app: Type.String(), dyno: Type.String() })
/** COLUMNS and LINES come as numbers. */
const Variables = Type.Record(
  Type.String(),
  Type.Union([Type.String(UP_TO_THE_BODY), Type.Number(), Type.Boolean()]),
)
const Creation = Type.Object({
  command: Type.String(UP_TO_THE_BODY),
  env: Type.Optional(Type.Union([Variables, Type.Null()])),
  force_no_tty: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
})

/** `heroku run:inside`: one more process in a dyno that is up. */
export const dynoEntries: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, secrets, installation } = deps

  server.post(
    '/apps/:app/dynos/:dyno',
    {
      ...OF_A_COMMAND,
      schema: { params: Params, body: Creation },
      config: { keepsMuch: true },
    },
    async ({ params, body, account, authorization, rotations }, reply) => {
      const app = await requireApp(pool, params.app)
      const dyno = (await dynosOf(pool, app.id)).find(
        (it) => it.id === params.dyno || placeOf(it) === params.dyno,
      )
      if (!dyno) throw new Problem('not_found', `Couldn't find that dyno.`)
      const environment = Object.fromEntries(
        Object.entries(body.env ?? {}).map(([name, value]) => [name, String(value)]),
      )
      const terminal = body.force_no_tty ? undefined : terminalSize(environment)
      const { command } = body
      const process = { command, environment, terminal }
      const token = { authorization, rotations }
      const wish = { app: app.id, account, token, dyno, ...process }
      const secret = await inTransaction(pool, (tx) => enterDyno(tx, wish, secrets))
      return reply.status(201).send({
        ...serializeDyno(dyno, dyno.state, app),
        attach_url: attachUrl(installation, secret),
      })
    },
  )
}
