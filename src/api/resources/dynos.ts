import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Dyno as ApiDyno } from '@heroku-cli/schema'
import { type Static, type TSchema, Type } from 'typebox'

import { restartDynos } from '../../actions/restart-dynos.ts'
import { runDyno, type RunWish } from '../../actions/run-dyno.ts'
import { stopDynos } from '../../actions/stop-dynos.ts'
import type { Account } from '../../model/app.ts'
import { attachUrl } from '../../model/attach-url.ts'
import type { DynoState } from '../../model/dyno.ts'
import { isUuid } from '../../model/ids.ts'
import { Problem } from '../../model/problem.ts'
import { serializeDyno } from '../../model/serialize-dyno.ts'
import { terminalSize } from '../../model/terminal.ts'
import { type AppDyno, dynosOf, type WhichDynos } from '../../store/app-dynos.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import { OF_A_COMMAND, UP_TO_THE_BODY } from '../bound-bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

function Optional<Schema extends TSchema>(schema: Schema) {
  return Type.Optional(Type.Union([schema, Type.Null()]))
}

const DynoParams = Type.Object({ app: Type.String(), dyno: Type.String() })
/** `heroku ps --extended`. */
const Extent = Type.Object({ extended: Type.Optional(Type.String()) })
/** COLUMNS and LINES come as numbers. */
const Variables = Type.Record(
  Type.String(),
  Type.Union([Type.String(UP_TO_THE_BODY), Type.Number(), Type.Boolean()]),
)
const Creation = Type.Object({
  command: Type.String(UP_TO_THE_BODY),
  attach: Optional(Type.Boolean()),
  env: Optional(Variables),
  force_no_tty: Optional(Type.Boolean()),
  size: Optional(Type.String()),
  type: Optional(Type.String()),
  time_to_live: Optional(Type.Integer()),
})
const TypeParams = Type.Object({ app: Type.String(), type: Type.String() })

export const dynos: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, secrets, installation, limits } = deps

  server.get(
    '/apps/:app/dynos',
    { schema: { params: AppParams, querystring: Extent } },
    async (request, reply) => {
      const all = await shownDynos(request.params.app, request.query)
      return sendPart(reply, all, { properties: ['name', 'id'] })
    },
  )

  server.get(
    '/apps/:app/dynos/:dyno',
    { schema: { params: DynoParams, querystring: Extent } },
    async ({ params, query }) => {
      const all = await shownDynos(params.app, query)
      const dyno = all.find((it) => it.id === params.dyno || it.name === params.dyno)
      if (!dyno) throw new Problem('not_found', `Couldn't find that dyno.`)
      return dyno
    },
  )

  server.post(
    '/apps/:app/dynos',
    {
      ...OF_A_COMMAND,
      schema: { params: AppParams, body: Creation },
      config: { keepsMuch: true },
    },
    async ({ params, body, account, authorization, rotations }, reply) => {
      const token = { authorization, rotations }
      const app = await requireApp(pool, params.app)
      const wish = { ...wishIn(body), app: app.id, account, token }
      const { dyno, secret } = await inTransaction(pool, (tx) =>
        runDyno(tx, wish, { secrets, limits: limits() }),
      )
      return reply.status(201).send({
        ...serializeDyno(dyno, 'starting', app),
        attach_url: secret === undefined ? null : attachUrl(installation, secret),
      })
    },
  )

  server.delete(
    '/apps/:app/dynos',
    { schema: { params: AppParams } },
    async ({ params, account }, reply) =>
      reply.status(202).send(await ask(restartDynos, params.app, { all: true }, account)),
  )

  for (const [method, action, act] of [
    ['DELETE', '', restartDynos],
    ['POST', '/actions/stop', stopDynos],
  ] as const) {
    server.route({
      method,
      url: `/apps/:app/dynos/:dyno${action}`,
      schema: { params: DynoParams },
      handler: async ({ params, account }, reply) =>
        reply
          .status(202)
          .send(await ask(act, params.app, dynosNamed(params.dyno), account)),
    })

    server.route({
      method,
      url: `/apps/:app/formations/:type${action}`,
      schema: { params: TypeParams },
      handler: async ({ params, account }, reply) =>
        reply
          .status(202)
          .send(await ask(act, params.app, { type: params.type }, account)),
    })
  }

  async function shownDynos(
    identity: string,
    { extended }: Static<typeof Extent>,
  ): Promise<ApiDyno[]> {
    const app = await requireApp(pool, identity)
    return (await dynosOf(pool, app.id)).flatMap((dyno) => {
      const state = shownState(dyno)
      if (!state) return []
      const shown = serializeDyno(dyno, state, app)
      return [extended === 'true' ? { ...shown, extended: serializeExtent(dyno) } : shown]
    })
  }

  async function ask(
    act: typeof restartDynos,
    identity: string,
    which: WhichDynos,
    account: Account,
  ): Promise<object> {
    const app = await requireApp(pool, identity)
    await inTransaction(pool, (tx) => act(tx, app, which, account))
    return {}
  }
}

/** `ps:restart web.1`, but also `ps:restart web`: the CLI sends both as a dyno. */
function dynosNamed(name: string): WhichDynos {
  return isUuid(name) || name.includes('.') ? { dyno: name } : { type: name }
}

function wishIn(body: Static<typeof Creation>): Omit<RunWish, 'app' | 'account'> {
  const environment = Object.fromEntries(
    Object.entries(body.env ?? {}).map(([name, value]) => [name, String(value)]),
  )
  const terminal = body.force_no_tty ? null : terminalSize(environment)
  return {
    command: body.command,
    attach: body.attach ? { terminal } : undefined,
    environment,
    size: body.size ?? undefined,
    type: body.type ?? undefined,
    timeToLive: body.time_to_live ?? undefined,
  }
}

/**
 * Clients know no `stopping`: a dyno is about to start anew, or it is not there any more; a
 * one-off is there until its process has ended.
 */
function shownState(dyno: AppDyno): DynoState | undefined {
  if (dyno.state !== 'stopping') return dyno.state
  if (dyno.isOneOff) return dyno.exitedAt ? undefined : 'up'
  return dyno.stopReason === 'scale down' ? undefined : 'starting'
}

/** What the CLI has columns for, and why a dyno does not run and when it will be tried again. */
function serializeExtent(it: AppDyno) {
  return {
    az: null,
    crashes: it.crashes,
    execution_plane: null,
    exit_status: it.exitStatus,
    fleet: null,
    instance: it.id,
    ip: it.address,
    next_attempt_at: it.nextAttemptAt?.toISOString() ?? null,
    port: it.port,
    region: it.region,
    route: it.routed ? `${it.address}:${it.port}` : null,
    stop_reason: it.stopReason,
    waiting_for: it.waitingFor,
  }
}
