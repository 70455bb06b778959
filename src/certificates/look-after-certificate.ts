/**
 * Gets a domain's automatic certificate and renews it: facts → step → one outside call or one
 * transaction. A look that dies between the two finds the authority further on than we
 * thought, and asks it again.
 */

import type { Pool } from 'pg'

import { type Clock, SECOND } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { readCertificate } from '../model/certificate.ts'
import { type DomainId, newId } from '../model/ids.ts'
import { liesAhead } from '../model/noted-times.ts'
import {
  acmeAccount,
  addAcmeAccount,
  acmeDirectory,
  type AcmeDirectory,
  certificateFacts,
  type CertificateFacts,
  orderKey,
  putOrder,
  recordAcmeAccount,
  recordTold,
  removeOrder,
  setAcmState,
} from '../store/acme.ts'
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
import { type Authority, authorityOf, newPrivateKey, Refused } from './authority.ts'
import { FAILED_FROM, planCertificate, retryAfter } from './plan-certificate.ts'

export interface CertificateDeps {
  readonly pool: Pool
  readonly secrets: SecretBox
  readonly clock: Clock
}

const POLL = 2 * SECOND

/** The look for work kind `certificate`; its subject is a custom domain's id. */
export function lookAfterCertificate(deps: CertificateDeps): Look {
  const { pool, clock } = deps

  return async (subject) => {
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
    if (step.do === 'fail') return fail(domain, facts, step)
    try {
      if (step.do === 'order') return await order(domain, facts, directory)
      if (step.do === 'tell') return await tell(domain, facts, directory)
      return await fetch(domain, facts, directory)
    } catch (error) {
      // An order that stands is looked at again soon.
      if (!(error instanceof Refused) && step.do !== 'order') throw error
      return fail(domain, facts, { reason: reasonIn(error), forGood: false })
    }
  }

  async function order(
    domain: DomainId,
    facts: CertificateFacts,
    directory: AcmeDirectory,
  ): Promise<number> {
    const authority = await authorityAt(directory, deps)
    const key = await newPrivateKey()
    const { url, token, keyAuthorization } = await authority.order(facts.hostname)
    return ifStillSo(domain, facts, async (tx) => {
      const privateKey = deps.secrets.seal(key, domain)
      const its = { directory: directory.url, url, token, keyAuthorization, privateKey }
      await putOrder(tx, domain, { ...its, now: clock.now() })
      await wakeEveryRouter(tx)
    })
  }

  async function tell(
    domain: DomainId,
    { order: its }: CertificateFacts,
    directory: AcmeDirectory,
  ): Promise<number> {
    const authority = await authorityAt(directory, deps)
    await authority.tell(its?.url ?? '')
    await recordTold(pool, domain)
    return POLL
  }

  async function fetch(
    domain: DomainId,
    facts: CertificateFacts,
    directory: AcmeDirectory,
  ): Promise<number> {
    const { hostname, order: its } = facts
    const sealed = await orderKey(pool, domain)
    if (!sealed || !its) return 0
    const key = deps.secrets.open(sealed, domain)
    const authority = await authorityAt(directory, deps)
    const chain = await authority.fetch(its.url, hostname, key)
    if (chain === undefined) return POLL
    const certificate = readCertificate(chain, key, clock.now())
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

  async function drop(domain: DomainId): Promise<number> {
    await inTransaction(pool, async (tx) => {
      await removeOrder(tx, domain)
      await wakeEveryRouter(tx)
    })
    return 0
  }

  async function fail(
    domain: DomainId,
    facts: CertificateFacts,
    { reason, forGood }: { readonly reason: string; readonly forGood: boolean },
  ): Promise<number> {
    return ifStillSo(domain, facts, async (tx, present) => {
      const failures = present.failures + 1
      const status = forGood || failures >= FAILED_FROM ? 'failed' : 'failing'
      const retryAt = new Date(clock.now().getTime() + retryAfter(failures))
      await removeOrder(tx, domain)
      await setAcmState(tx, domain, { status, reason, failures, retryAt })
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

/** The installation registers with it the first time. */
async function authorityAt(
  directory: AcmeDirectory,
  { pool, secrets }: CertificateDeps,
): Promise<Authority> {
  const account =
    (await acmeAccount(pool, directory.url, secrets)) ??
    (await addAcmeAccount(pool, directory.url, await newPrivateKey(), secrets))
  if (account.url !== null) return authorityOf(directory, account)
  const url = await authorityOf(directory, account).register()
  await recordAcmeAccount(pool, directory.url, url)
  return authorityOf(directory, { ...account, url })
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
