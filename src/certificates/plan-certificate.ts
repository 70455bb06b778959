/**
 * What is to be done now for a domain's automatic certificate: a pure function of what is
 * known of it. A certificate is got in steps, of which each leaves its mark: an order at the
 * authority, the answer to its question at the router, word to the authority that it may
 * ask, and at last the certificate.
 */

import { MINUTE, SECOND } from '../lib/clock.ts'
import { liesAhead } from '../model/noted-times.ts'
import type { AcmeDirectory, CertificateFacts } from '../store/acme.ts'

export type CertificateStep =
  /** Nothing, until `for` milliseconds have gone by; Infinity: until it is woken. */
  | { readonly do: 'wait'; readonly for: number }
  /** One failed. */
  | { readonly do: 'retry'; readonly at: Date }
  | { readonly do: 'order' }
  | { readonly do: 'tell' }
  /** Asks what became of the order; fetches the certificate. */
  | { readonly do: 'fetch' }
  /** The order is of no use any more. */
  | { readonly do: 'drop' }
  | { readonly do: 'fail'; readonly reason: string; readonly forGood: boolean }

/** Until the router has the answer and the authority has looked: usually seconds. */
const ORDER_PATIENCE = 15 * MINUTE
const ROUTER_POLL = 2 * SECOND
export function planCertificate(
  facts: CertificateFacts | undefined,
  directory: AcmeDirectory | undefined,
  now: Date,
): CertificateStep {
  if (!facts) return forever
  const { acm, hostname, endpoint, order, retryAt, failedAt } = facts
  if (!acm || !directory) return order ? { do: 'drop' } : forever
  if (order && order.directory !== directory.url) return { do: 'drop' }
  if (hostname.startsWith('*')) {
    if (facts.status === 'failed') return forever
    const reason = 'A wildcard has no automatic certificate: add one by heroku certs:add.'
    return { do: 'fail', reason, forGood: true }
  }
  if (endpoint && !endpoint.acm) return order ? { do: 'drop' } : forever
  if (order) return planOrder(order, now)
  const due = endpoint ? renewsAt(endpoint) - now.getTime() : 0
  if (due > 0) return { do: 'wait', for: due }
  // By a clock that has been set back since, it would be waited for so much longer.
  const waits = retryAt && retryAt > now && !liesAhead(now, [failedAt])
  return waits ? { do: 'retry', at: retryAt } : { do: 'order' }
}

function planOrder(
  { answered, token, told, createdAt }: NonNullable<CertificateFacts['order']>,
  now: Date,
): CertificateStep {
  if (now.getTime() - createdAt.getTime() > ORDER_PATIENCE) {
    const reason = `The authority did not decide within ${ORDER_PATIENCE / MINUTE} minutes.`
    return { do: 'fail', reason, forGood: false }
  }
  if (told || token === null) return { do: 'fetch' }
  return answered ? { do: 'tell' } : { do: 'wait', for: ROUTER_POLL }
}

/** When a third of its life is left: 30 days of 90. Milliseconds. */
function renewsAt({
  startsAt,
  expiresAt,
}: NonNullable<CertificateFacts['endpoint']>): number {
  const life = expiresAt.getTime() - startsAt.getTime()
  return expiresAt.getTime() - life / 3
}

const forever: CertificateStep = { do: 'wait', for: Infinity }
