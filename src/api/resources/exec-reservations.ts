/**
 * What the CLI calls the exec manager, at `HEROKU_EXEC_URL`: the app's name comes as the user
 * of Basic authentication, and no version is asked for.
 */

import { existsSync, readFileSync } from 'node:fs'

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyContextConfig, FastifyRequest } from 'fastify'
import { Type } from 'typebox'

import { reserveExec } from '../../actions/reserve-exec.ts'
import { enabledFeatures } from '../../model/app-features.ts'
import type { App } from '../../model/app.ts'
import { placeOf } from '../../model/dyno.ts'
import { type ExecDoor, LONGEST_KEY } from '../../model/exec.ts'
import { Problem } from '../../model/problem.ts'
import { userIn } from '../../model/token.ts'
import { dynosOf } from '../../store/app-dynos.ts'
import { switchesOf } from '../../store/app-features.ts'
import { inTransaction } from '../../store/queryable.ts'
import { authenticateUntilEnd } from '../authenticate.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const Params = Type.Object({ dyno: Type.String() })
const Reservation = Type.Object({ client_key: Type.String({ maxLength: LONGEST_KEY }) })
const config: FastifyContextConfig = {
  anyVersion: true,
  appOf: nameOfApp,
  // Who is inside a dyno reads its config vars.
  needs: 'operate',
  secrets: true,
}

export const execReservations: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  deps,
) => {
  const { pool, secrets, data } = deps

  /** The dynos that can be entered. */
  server.get('/api/v2', { config }, async (request) => {
    const app = await appOf(request)
    const switches = await switchesOf(pool, app.id)
    if (!enabledFeatures(switches).has('runtime-heroku-exec')) return []
    const dynos = await dynosOf(pool, app.id)
    return dynos
      .filter(({ state }) => state === 'up')
      .map((dyno) => ({ dyno_name: placeOf(dyno) }))
  })

  server.put(
    '/api/v2/:dyno',
    { config, schema: { params: Params, body: Reservation } },
    async (request) => {
      const { params, body, account, authorization } = request
      const app = await appOf(request)
      const dyno = (await dynosOf(pool, app.id)).find(
        (it) => it.id === params.dyno || placeOf(it) === params.dyno,
      )
      if (!dyno) throw new Problem('not_found', `Couldn't find that dyno.`)
      const { host, publicKey } = doorOf(data.execDoor)
      const wish = { app, account, authorization, dyno, clientKey: body.client_key }
      const clientUser = await inTransaction(pool, async (tx) => {
        await authenticateUntilEnd(tx, request)
        return reserveExec(tx, wish, secrets)
      })
      return {
        tunnel_host: host,
        client_user: clientUser,
        proxy_public_key: publicKey,
        dyno_ip: dyno.address,
      }
    },
  )

  async function appOf(request: FastifyRequest): Promise<App> {
    return requireApp(pool, request.standing.app)
  }
}

function nameOfApp(request: FastifyRequest): string {
  return userIn(request.headers.authorization) ?? ''
}

/** Written by the SSH server when it listens, or cannot. */
function doorOf(file: string): Exclude<ExecDoor, { failure: string }> {
  const door: ExecDoor = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as ExecDoor)
    : { failure: 'Nobody listens yet: try again in a few seconds.' }
  if ('failure' in door) throw new Problem('service_unavailable', door.failure)
  return door
}
