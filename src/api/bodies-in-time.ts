import { PassThrough, type Readable } from 'node:stream'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { SECOND } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { isRead } from '../model/route-needs.ts'

/** As the router's. Nothing but files is larger than 1 MiB. */
const BODY_PATIENCE = 30 * SECOND

/**
 * Bodies that are not whole in time are refused with the Problem `request_timeout`, and what
 * is left of one when its request has been answered has as long again. A request that never
 * ends would hold its connection for good. Files are their handlers' affair until then.
 */
export function takeBodiesInTime(
  server: FastifyInstance,
  patience: number = BODY_PATIENCE,
): void {
  server.addHook('preParsing', async ({ method, routeOptions }, _reply, body) => {
    if (isRead(method) || routeOptions.config.takesFile) return body
    return inTime(body, patience)
  })
  server.addHook('onResponse', async (request) => hangUpOn(request, patience))
}

function inTime(body: Readable, patience: number): Readable {
  const whole = new PassThrough()
  const late = setTimeout(() => whole.destroy(tooLate(patience)), patience).unref()
  whole.once('end', () => clearTimeout(late))
  whole.once('close', () => clearTimeout(late))
  // Whoever refuses it half-way hears of it no more.
  whole.on('error', () => {})
  body.once('error', (error) => whole.destroy(error))
  return body.pipe(whole)
}

function hangUpOn({ raw }: FastifyRequest, patience: number): void {
  if (raw.complete || raw.destroyed) return
  const late = setTimeout(() => raw.destroy(), patience).unref()
  raw.once('close', () => clearTimeout(late))
}

function tooLate(patience: number): Problem {
  return new Problem(
    'request_timeout',
    `The request's body was not whole after ${patience / SECOND} seconds.`,
  )
}
