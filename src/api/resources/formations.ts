import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Formation as ApiFormation } from '@heroku-cli/schema'
import { type Static, Type } from 'typebox'

import { scaleFormations } from '../../actions/scale-formations.ts'
import type { Account } from '../../model/app.ts'
import { Problem } from '../../model/problem.ts'
import type { ScaleWish } from '../../model/scaling.ts'
import { serializeFormation } from '../../model/serialize-formation.ts'
import { findFormation, formationsOf } from '../../store/app-formations.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { Identity, identityIn } from '../identity.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const FormationParams = Type.Object({ app: Type.String(), formation: Type.String() })

const Change = Type.Object({
  quantity: Type.Optional(Type.Union([Type.Integer(), Type.String()])),
  size: Type.Optional(Identity),
  dyno_size: Type.Optional(Identity),
})
const Batch = Type.Object({
  updates: Type.Array(Type.Intersect([Change, Type.Object({ type: Type.String() })])),
})

export const formations: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, limits } = deps

  server.get(
    '/apps/:app/formation',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const all = (await formationsOf(pool, app.id)).map((it) =>
        serializeFormation(it, app),
      )
      return sendPart(reply, all, { properties: ['type', 'id'] })
    },
  )

  server.get(
    '/apps/:app/formation/:formation',
    { schema: { params: FormationParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      const formation = await findFormation(pool, app.id, params.formation)
      if (!formation) throw new Problem('not_found', `Couldn't find that process type.`)
      return serializeFormation(formation, app)
    },
  )

  server.patch(
    '/apps/:app/formation',
    { schema: { params: AppParams, body: Batch } },
    async ({ params, body, account }) => {
      const wishes = body.updates.map((it) => wishIn(it.type, it))
      return scale(params.app, wishes, account)
    },
  )

  server.patch(
    '/apps/:app/formation/:formation',
    { schema: { params: FormationParams, body: Change } },
    async ({ params, body, account }) => {
      const [formation] = await scale(
        params.app,
        [wishIn(params.formation, body)],
        account,
      )
      return formation
    },
  )

  async function scale(
    identity: string,
    wishes: readonly ScaleWish[],
    scaler: Account,
  ): Promise<ApiFormation[]> {
    const app = await requireApp(pool, identity)
    const changed = await inTransaction(pool, (tx) =>
      scaleFormations(tx, { app, wishes, scaler }, limits()),
    )
    return changed.map((it) => serializeFormation(it, app))
  }
}

function wishIn(type: string, change: Static<typeof Change>): ScaleWish {
  const size = change.size ?? change.dyno_size
  return { type, quantity: change.quantity, size: size && identityIn(size) }
}
