import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

import type { Log } from '../lib/log.ts'
import { Problem, type ProblemId } from '../model/problem.ts'
import { describeFault } from './describe-fault.ts'
import { UNFIT_TEXT } from './refuse-unfit-texts.ts'

/** Answers what a handler threw: a Problem in its own words, a fault of ours in none. */
export function answerError(log: Log) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemIn(error)
    if (!problem || problem.status >= 500) {
      log.error('a request failed', error, {
        request: request.id,
        method: request.method,
        // As it is declared: in the place of a name there may be a token, and of what is asked a secret.
        route: request.routeOptions.url,
      })
    }
    if (!problem) {
      return reply
        .status(500)
        .send({ id: 'internal_server_error', message: 'Internal server error.' })
    }
    const { id, message, details } = problem
    return reply.status(problem.status).send({ id, message, ...details })
  }
}

function problemIn(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  const { validation, statusCode = 500, message, code } = error as FastifyError
  if (code === NOT_A_TEXT) {
    return new Problem('invalid_params', UNFIT_TEXT)
  }
  if (validation) {
    const fault = describeFault(validation)
    return new Problem('invalid_params', `Invalid parameters: ${fault}.`)
  }
  if (statusCode >= 500) return undefined
  return new Problem(refusals[statusCode] ?? 'bad_request', message)
}

/** PostgreSQL's character_not_in_repertoire, of a path, say: all characters but U+0000 it takes. Nothing was written. */
const NOT_A_TEXT = '22021'

/** The statuses Fastify itself refuses with. */
const refusals: Readonly<Record<number, ProblemId>> = {
  404: 'not_found',
  413: 'payload_too_large',
}
