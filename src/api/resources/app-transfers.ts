import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { settleAppTransfer } from '../../actions/settle-app-transfer.ts'
import { offerApp } from '../../actions/offer-app.ts'
import type { Account } from '../../model/app.ts'
import { Problem } from '../../model/problem.ts'
import {
  type AppTransfer,
  removeTransfer,
  transfersOf,
} from '../../store/app-transfers.ts'
import { inTransaction } from '../../store/queryable.ts'
import { requireStanding } from '../authorize.ts'
import type { ApiDeps } from '../deps.ts'
import { Identity, identityIn } from '../identity.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'
import { requirePerson } from '../require-person.ts'

const Params = Type.Object({ transfer: Type.String() })
const Offer = Type.Object({
  app: Identity,
  recipient: Identity,
  silent: Type.Optional(Type.Boolean()),
})
const Settling = Type.Object({ state: Type.Enum(['accepted', 'declined']) })

export const appTransfers: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, limits } = deps

  server.get('/account/app-transfers', async (request, reply) => {
    const all = await transfersOf(pool, request.account.id)
    return sendPart(reply, all.map(serializeTransfer))
  })

  server.post(
    '/account/app-transfers',
    { schema: { body: Offer } },
    async (request, reply) => {
      const { account: by, body } = request
      const { app: id } = await requireStanding(pool, by, identityIn(body.app), 'manage')
      const app = await requireApp(pool, id)
      if (app.team) {
        throw new Problem(
          'invalid_params',
          `A team's app is given away by PATCH /teams/apps.`,
        )
      }
      const to = await requirePerson(deps, by, identityIn(body.recipient))
      const transfer = await inTransaction(pool, (tx) => offerApp(tx, { app, to, by }))
      return reply.status(201).send(serializeTransfer(transfer))
    },
  )

  server.get(
    '/account/app-transfers/:transfer',
    { schema: { params: Params } },
    async ({ account, params }) =>
      serializeTransfer(await requireTransfer(account, params.transfer)),
  )

  server.patch(
    '/account/app-transfers/:transfer',
    { schema: { params: Params, body: Settling } },
    async ({ account, params, body }) => {
      const transfer = await requireTransfer(account, params.transfer)
      if (transfer.recipient.id !== account.id) {
        throw new Problem('forbidden', 'Only who is offered an app may take it.')
      }
      const app = await requireApp(pool, transfer.app.id)
      await inTransaction(pool, (tx) =>
        settleAppTransfer(tx, { transfer, app, state: body.state, limits: limits() }),
      )
      return serializeTransfer({ ...transfer, state: body.state })
    },
  )

  server.delete(
    '/account/app-transfers/:transfer',
    { schema: { params: Params } },
    async ({ account, params }) => {
      const transfer = await requireTransfer(account, params.transfer)
      if (transfer.owner.id !== account.id) {
        throw new Problem('forbidden', 'Only who offers an app may take the offer back.')
      }
      if (!(await removeTransfer(pool, transfer.id))) {
        throw new Problem('invalid_params', 'The transfer is settled.')
      }
      return serializeTransfer(transfer)
    },
  )

  /** By its id, or the app's name or id; one that is pending, if there are others. */
  async function requireTransfer(account: Account, identity: string) {
    const all = await transfersOf(pool, account.id)
    const named = all.filter((it) =>
      [it.id, it.app.id, it.app.name].some((name) => name === identity),
    )
    const found = named.findLast((it) => it.state === 'pending') ?? named.at(-1)
    if (!found) throw new Problem('not_found', `Couldn't find that app transfer.`)
    return found
  }
}

function serializeTransfer(it: AppTransfer) {
  return {
    app: { id: it.app.id as string, name: it.app.name },
    created_at: it.createdAt.toISOString(),
    id: it.id as string,
    owner: { id: it.owner.id as string, email: it.owner.email },
    recipient: { id: it.recipient.id as string, email: it.recipient.email },
    state: it.state,
    updated_at: it.updatedAt.toISOString(),
  }
}
