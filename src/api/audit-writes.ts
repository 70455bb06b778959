import type { FastifyRequest } from 'fastify'

import { isUuid } from '../model/ids.ts'
import { isRead } from '../model/route-needs.ts'
import { type AuditEntry, writeAudit } from '../store/audit.ts'
import type { ApiDeps } from './deps.ts'

/**
 * Called before the answer goes, so that no acknowledged change is missing: one insert for
 * every request of a known caller that would change something, refused ones too, and for
 * everybody who tried to log in. Bodies are never kept, nor are answers but for the id and the
 * name of what was made. What the rate limit turned away is left out: it must not fill the
 * table. What cannot be written there is put into the part's own log instead, whole.
 */
export async function auditWrite(
  { pool, log }: Pick<ApiDeps, 'pool' | 'log'>,
  request: FastifyRequest,
  { status, payload }: { readonly status: number; readonly payload: unknown },
): Promise<void> {
  const { asked, authorization, logIn, method, routeOptions, standing, upload } = request
  const { url: route } = routeOptions
  const account = request.account ?? logIn?.account ?? upload?.account
  if (!account && !logIn) return
  if (route === undefined || isRead(method) || status === 429) return
  const entry: AuditEntry = {
    account: account?.id ?? null,
    email: account?.email ?? null,
    authorization: authorization ?? null,
    address: request.client,
    request: request.id,
    method,
    route,
    nouns: {
      // What stands in an upload's URL is a secret.
      ...(upload
        ? { source: upload.source }
        : nounsOf(asked ?? request.params, status === 201 ? payload : undefined)),
      ...(logIn && { login: logIn.outcome }),
    },
    app: standing?.app ?? null,
    status,
  }
  try {
    await writeAudit(pool, entry)
  } catch (error) {
    // What was done is done: that it could not be written down must not look as if it was not.
    log.error('a change could not be audited', error, { entry })
  }
}

function nounsOf(params: unknown, made: unknown): Record<string, string> {
  const named = Object.entries(params as Record<string, string>)
  // Of what is refused for it: JSON in PostgreSQL has no U+0000.
  const kept = named.map(([noun, name]) => [noun, name.replaceAll('\0', '\ufffd')])
  return { ...Object.fromEntries(kept), ...namesIn(made) }
}

/** `{ made, name }` of an answer in JSON. */
function namesIn(answer: unknown): Record<string, string> {
  if (typeof answer !== 'string') return {}
  const { id, name } = (JSON.parse(answer) ?? {}) as {
    readonly id?: unknown
    readonly name?: unknown
  }
  return {
    ...(typeof id === 'string' && isUuid(id) && { made: id }),
    ...(typeof name === 'string' && { name }),
  }
}
