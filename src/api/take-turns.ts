import type { FastifyInstance, FastifyRequest } from 'fastify'

import { SECOND } from '../lib/clock.ts'
import { type TurnLimits, turns } from '../lib/turns.ts'
import { untilGone } from '../lib/until-gone.ts'
import { Problem } from '../model/problem.ts'

/**
 * Of an account. Whatever changes an app waits for the app's row with one of our connections to the database in
 * hand: these are half of them (`bin/api.ts`), however many requests one account sends for one app.
 */
const USUAL: TurnLimits = { atOnce: 5, inLine: 200, patience: 10 * SECOND }

/**
 * Has the requests of an account wait for each other beyond a number of them: from when the body is there until
 * the answer begins. Who would wait too long gets the Problem `rate_limit`. What is streamed after that, and what
 * is open to everybody, takes no turn.
 */
export function takeTurns(server: FastifyInstance, limits: TurnLimits = USUAL): void {
  const ofAccounts = turns(limits)
  const ends = new WeakMap<FastifyRequest, () => void>()

  server.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.config.open || !request.routeOptions.url) return
    const end = await ofAccounts.take(request.account.id, untilGone(reply.raw))
    if (!end) {
      throw new Problem(
        'rate_limit',
        'As many requests of your account are under way as may be. Try again when some have been answered.',
      )
    }
    ends.set(request, end)
  })
  // Not when its client hangs up: its handler goes on, and has the connection until it ends.
  server.addHook('onSend', async (request, _reply, payload) => {
    ends.get(request)?.()
    ends.delete(request)
    return payload
  })
}
