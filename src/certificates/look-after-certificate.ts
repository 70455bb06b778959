/**
 * Gets a domain's automatic certificate and renews it: facts → step → one outside call or one
 * transaction. A look that dies between the two finds the authority further on than we
 * thought, and asks it again.
 */

import type { Pool } from 'pg'

import { type Clock, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { FAILED_FROM, retryAfter } from '../model/acm.ts'
import { readCertificate } from '../model/certificate.ts'
import { type DomainId, newId } from '../model/ids.ts'
import { liesAhead } from '../model/noted-times.ts'
import {
  acmeDirectory,
  type AcmeDirectory,
  certificateFacts,
  type CertificateFacts,
  noteAcmWait,
  orderKey,
  putOrder,
  recordTold,
  removeOrder,
  setAcmState,
} from '../store/acme.ts'
import {
  holdOwner,
  noteTry,
  orderingFacts,
  pauseOrders,
  refusalsOf,
  resumeOrders,
} from '../store/acme-tries.ts'
import { lockApp } from '../store/apps.ts'
import { noteOrderAnew } from '../store/noted-times.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { wakeEveryRouter } from '../store/regions.ts'
import {
  addSniEndpoint,
  replaceCertificate,
  sealedCertificate,
  serveDomainWith,
} from '../store/sni-endpoints.ts'
import type { Look } from '../work/loop.ts'
import { newPrivateKey, RateLimited, Refused } from './authority.ts'
import { keepAuthority } from './kept-authority.ts'
import { planCertificate } from './plan-certificate.ts'
import {
  heldAfter,
  notBefore,
  ORDERS,
  type OrderingWait,
  pauseAfter,
  planOrdering,
  retryOfLimited,
  UNANSWERED_RETRY,
} from './plan-ordering.ts'

interface CertificateDeps {
  readonly pool: Pool
  readonly secrets: SecretBox
  readonly clock: Clock
}

const POLL = 2 * SECOND
/** Of what waits for others: they may be done sooner. */
const LONGEST_WAIT = 15 * MINUTE

/** The look for work kind `certificate`; its subject is a custom domain's id. */
export function lookAfterCertificate(deps: CertificateDeps): Look {
  const { pool, clock } = deps
  const authorityAt = keepAuthority(deps.pool, deps.secrets)

  return async (subject, signal) => {
    const domain = subject as DomainId
    const facts = await certificateFacts(pool, domain)
    const directory = await acmeDirectory(pool)
    const now = clock.now()
    if (facts?.order && liesAhead(now, [facts.order.createdAt])) {
      await noteOrderAnew(pool, domain, now)
      return 0
    }
    const step = planCertificate(facts, directory, now)
    if (step.do === 'wait') return step.for
    if (step.do === 'drop') return drop(domain)
    if (!facts || !directory) throw new Error(`there is nothing to ${step.do}`)
    const of = { domain, facts, directory, signal }
    switch (step.do) {
      case 'fail':
        return fail(of, step)
      case 'retry':
        return wait(of, {
          until: step.at,
          reason: notBefore(step.at, 'the last order failed'),
        })
      case 'order':
        return order(of)
      case 'tell':
        return ask(of, () => tell(of))
      case 'fetch':
        return ask(of, () => fetch(of))
    }
  }

  async function order(of: Of): Promise<number> {
    const { domain, facts, directory, signal } = of
    const { app, hostname } = facts
    const common = { directory: directory.url, app, hostname }
    const now = clock.now()
    const since = later(now, -ORDERS.within)
    const held = planOrdering(await orderingFacts(pool, { ...common, since }), now)
    if (held) return wait(of, held)

    const attempt = await noteTry(pool, { ...common, now, since })
    const key = await newPrivateKey()
    try {
      const authority = await authorityAt(directory, signal)
      const made = await authority.order(hostname, signal)
      return await ifStillSo(domain, facts, async (tx) => {
        const privateKey = deps.secrets.seal(key, domain)
        await putOrder(tx, domain, {
          ...made,
          directory: directory.url,
          privateKey,
          now: clock.now(),
        })
        await noteAcmWait(tx, domain, null)
        await resumeOrders(tx, directory.url)
        await wakeEveryRouter(tx)
      })
    } catch (error) {
      signal.throwIfAborted()
      const limited = error instanceof RateLimited
      const retry = limited ? retryOfLimited(error.retryAfter) : UNANSWERED_RETRY
      if (limited) await holdOwner(pool, attempt, later(clock.now(), heldAfter(retry)))
      if (limited || !(error instanceof Refused)) await pause(directory, retry)
      const reason = reasonIn(error)
      return fail(of, limited ? { reason, retry } : { reason })
    }
  }

  /** Nobody asks it for another for a while. */
  async function pause({ url }: AcmeDirectory, retry: number): Promise<void> {
    const refusals = await refusalsOf(pool, url)
    const until = later(clock.now(), pauseAfter(refusals, retry))
    await pauseOrders(pool, url, { refusals, until })
  }

  /** For an order that stands: it is looked at again soon, where what went wrong may go well another time. */
  async function ask(of: Of, call: () => Promise<number>): Promise<number> {
    try {
      return await call()
    } catch (error) {
      of.signal.throwIfAborted()
      if (!(error instanceof Refused)) throw error
      if (error instanceof RateLimited) return MINUTE
      return fail(of, { reason: reasonIn(error) })
    }
  }

  async function tell({ domain, facts, directory, signal }: Of): Promise<number> {
    const authority = await authorityAt(directory, signal)
    await authority.tell(facts.order?.url ?? '', signal)
    await recordTold(pool, domain)
    return POLL
  }

  async function fetch({ domain, facts, directory, signal }: Of): Promise<number> {
    const { hostname, order: its } = facts
    const sealed = await orderKey(pool, domain)
    if (!sealed || !its) return 0
    const privateKey = deps.secrets.open(sealed, domain)
    const authority = await authorityAt(directory, signal)
    const chain = await authority.fetch({ url: its.url, hostname, privateKey }, signal)
    if (chain === undefined) return POLL
    const certificate = readCertificate(chain, privateKey, clock.now())
    if ('fault' in certificate) throw new Refused(certificate.fault)

    return ifStillSo(domain, facts, async (tx) => {
      const { endpoint, app } = facts
      const id = endpoint?.id ?? newId<'sni endpoint'>()
      const stored = sealedCertificate(certificate, id, deps.secrets)
      if (endpoint) await replaceCertificate(tx, id, stored)
      else {
        await addSniEndpoint(tx, { ...stored, id, app, acm: true })
        await serveDomainWith(tx, domain, id)
      }
      await removeOrder(tx, domain)
      await setAcmState(tx, domain, { status: 'cert issued' })
      const until = certificate.expiresAt.toISOString()
      const message = `Certificate for ${hostname} issued, valid until ${until}`
      await say(tx, facts, message)
      await wakeEveryRouter(tx)
    })
  }

  /** Of a domain that just failed, it is told why that was; of another, why it waits. */
  async function wait(
    { domain, facts }: Of,
    { until, reason }: OrderingWait,
  ): Promise<number> {
    if (facts.status !== 'failing' && facts.status !== 'failed') {
      await ifStillSo(domain, facts, async (tx, present) => {
        await noteAcmWait(tx, domain, reason)
        if (present.reason !== null) return
        await say(tx, facts, `Certificate for ${facts.hostname} waits: ${reason}`)
      })
    }
    return Math.min(until.getTime() - clock.now().getTime(), LONGEST_WAIT)
  }

  async function drop(domain: DomainId): Promise<number> {
    await inTransaction(pool, async (tx) => {
      await removeOrder(tx, domain)
      await wakeEveryRouter(tx)
    })
    return 0
  }

  /** `retry`: the authority had too much of something, which is no fault of the domain's. */
  async function fail(
    { domain, facts }: Of,
    {
      reason,
      forGood = false,
      retry,
    }: { readonly reason: string; readonly forGood?: boolean; readonly retry?: number },
  ): Promise<number> {
    return ifStillSo(domain, facts, async (tx, present) => {
      const failures = present.failures + (retry === undefined ? 1 : 0)
      const status = forGood || failures >= FAILED_FROM ? 'failed' : 'failing'
      const failedAt = clock.now()
      const retryAt = later(failedAt, retry ?? retryAfter(failures))
      await removeOrder(tx, domain)
      await setAcmState(tx, domain, { status, reason, failures, retryAt, failedAt })
      await say(tx, facts, `Certificate for ${facts.hostname} not issued: ${reason}`)
      await wakeEveryRouter(tx)
    })
  }

  /**
   * An authority takes seconds. What the app's users said meanwhile stands: then nothing is
   * written, and the next look begins with that.
   */
  async function ifStillSo(
    domain: DomainId,
    facts: CertificateFacts,
    write: (tx: Queryable, present: CertificateFacts) => Promise<void>,
  ): Promise<number> {
    await inTransaction(pool, async (tx) => {
      if (!(await lockApp(tx, facts.app))) return
      const present = await certificateFacts(tx, domain)
      if (!present?.acm || present.order?.url !== facts.order?.url) return
      if (present.endpoint?.id === facts.endpoint?.id) await write(tx, present)
    })
    return 0
  }
}

/** What a look is about. */
interface Of {
  readonly domain: DomainId
  readonly facts: CertificateFacts
  readonly directory: AcmeDirectory
  readonly signal: AbortSignal
}

/** Letters of what an authority says. */
const LONGEST_REASON = 1000

/** Its words are kept, and may be anything: the database takes no U+0000. */
function reasonIn(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error)
  const message = said.slice(0, LONGEST_REASON).replaceAll('\0', '')
  return error instanceof Refused ? message : `The authority does not answer: ${message}`
}

function say(tx: Queryable, { app }: CertificateFacts, message: string): Promise<void> {
  return writeLogLines(tx, [{ app, source: 'app', ps: 'api', message }])
}
