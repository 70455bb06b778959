/** Certificates that are got from an authority: ACME, RFC 8555. */

import { SECOND } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { AcmStatus } from '../model/acm.ts'
import type { AppId, DomainId, SniEndpointId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'
import { wakeAll } from './work.ts'

/** The authority that certificates are asked of. */
export interface AcmeDirectory {
  readonly url: string
  readonly email: string | null
  /** PEM: who vouches for the authority's own server, where no public one does. */
  readonly trusted: string | null
}

/** What there is to know of a domain's certificate; of one moment. */
export interface CertificateFacts {
  readonly hostname: string
  readonly app: AppId
  /** Whether its app has certificates got for it. */
  readonly acm: boolean
  readonly status: AcmStatus | null
  readonly failures: number
  /** Why it failed, or waits. */
  readonly reason: string | null
  readonly retryAt: Date | null
  readonly failedAt: Date | null
  /** What it is served with now. */
  readonly endpoint: {
    readonly id: SniEndpointId
    readonly acm: boolean
    readonly startsAt: Date
    readonly expiresAt: Date
  } | null
  readonly order: AcmeOrder | null
}

export interface AcmeOrder {
  readonly directory: string
  readonly url: string
  /** Null: the authority has no question. */
  readonly token: string | null
  /** Whether the router gives the answer. */
  readonly answered: boolean
  /** Whether the authority was told to look. */
  readonly told: boolean
  readonly createdAt: Date
}

export async function setAcmeDirectory(
  tx: Queryable,
  directory: AcmeDirectory | undefined,
): Promise<void> {
  await tx.query('delete from acme_directory')
  if (!directory) return
  await tx.query('insert into acme_directory (url, email, trusted) values ($1, $2, $3)', [
    directory.url,
    directory.email,
    directory.trusted,
  ])
}

export async function acmeDirectory(db: Queryable): Promise<AcmeDirectory | undefined> {
  const { rows } = await db.query('select url, email, trusted from acme_directory')
  return (rows as AcmeDirectory[])[0]
}

export interface AcmeAccount {
  /** PEM. */
  readonly privateKey: string
  /** Null: the authority was not told yet. */
  readonly url: string | null
}

/** The installation's account with the authority; undefined: it has none. */
export async function acmeAccount(
  db: Queryable,
  directory: string,
  secrets: SecretBox,
): Promise<AcmeAccount | undefined> {
  const { rows } = await db.query(
    'select private_key as key, url from acme_accounts where directory = $1',
    [directory],
  )
  const [row] = rows as { key: Buffer; url: string | null }[]
  return row && { privateKey: secrets.open(row.key, directory), url: row.url }
}

/** One with this key, unless another was made meanwhile: then that. */
export async function addAcmeAccount(
  db: Queryable,
  directory: string,
  privateKey: string,
  secrets: SecretBox,
): Promise<AcmeAccount> {
  await db.query(
    `insert into acme_accounts (directory, private_key) values ($1, $2)
     on conflict (directory) do nothing`,
    [directory, secrets.seal(privateKey, directory)],
  )
  const account = await acmeAccount(db, directory, secrets)
  if (!account) throw new Error(`there is no account with ${directory}`)
  return account
}

export async function recordAcmeAccount(
  db: Queryable,
  directory: string,
  url: string,
): Promise<void> {
  await db.query('update acme_accounts set url = $2 where directory = $1', [
    directory,
    url,
  ])
}

/** Undefined: the domain is gone. */
export async function certificateFacts(
  db: Queryable,
  domain: DomainId,
): Promise<CertificateFacts | undefined> {
  const { rows } = await db.query(
    `select d.hostname, d.app, a.acm, d.acm_status as status,
            d.acm_status_reason as reason, d.acm_failures as failures,
            d.acm_retry_at as "retryAt", d.acm_failed_at as "failedAt",
            e.id as "endpointId", e.acm as "endpointAcm",
            e.starts_at as "startsAt", e.expires_at as "expiresAt",
            o.directory, o.url, o.token, o.answered, o.told, o.created_at as "createdAt"
       from domains d
       join apps a on a.id = d.app
       left join sni_endpoints e on e.id = d.sni_endpoint
       left join acme_orders o on o.domain = d.id
      where d.id = $1`,
    [domain],
  )
  const [row] = rows as (CertificateFacts & AcmeOrder & EndpointColumns)[]
  if (!row) return undefined
  const { endpointId: id, endpointAcm: acm, startsAt, expiresAt } = row
  const { directory, url, token, answered, told, createdAt } = row
  return {
    hostname: row.hostname,
    app: row.app,
    acm: row.acm,
    status: row.status,
    failures: row.failures,
    reason: row.reason,
    retryAt: row.retryAt,
    failedAt: row.failedAt,
    endpoint: id === null ? null : { id, acm, startsAt, expiresAt },
    order: url === null ? null : { directory, url, token, answered, told, createdAt },
  }
}

interface EndpointColumns {
  readonly endpointId: SniEndpointId | null
  readonly endpointAcm: boolean
  readonly startsAt: Date
  readonly expiresAt: Date
}

export async function putOrder(
  tx: Queryable,
  domain: DomainId,
  it: Pick<AcmeOrder, 'directory' | 'url' | 'token'> & {
    readonly keyAuthorization: string | null
    /** Sealed for the domain's id. */
    readonly privateKey: Buffer
    readonly now: Date
  },
): Promise<void> {
  const { directory, url, privateKey, token, keyAuthorization, now } = it
  await tx.query(
    `insert into acme_orders (domain, directory, url, private_key, token,
                              key_authorization, created_at)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (domain) do nothing`,
    [domain, directory, url, privateKey, token, keyAuthorization, now],
  )
}

/** Sealed for the domain's id. */
export async function orderKey(
  db: Queryable,
  domain: DomainId,
): Promise<Buffer | undefined> {
  const { rows } = await db.query(
    'select private_key as key from acme_orders where domain = $1',
    [domain],
  )
  return (rows as { key: Buffer }[])[0]?.key
}

export async function recordTold(db: Queryable, domain: DomainId): Promise<void> {
  await db.query('update acme_orders set told = true where domain = $1', [domain])
}

export async function removeOrder(tx: Queryable, domain: DomainId): Promise<void> {
  await tx.query('delete from acme_orders where domain = $1', [domain])
}

export interface AcmState {
  readonly status: AcmStatus | null
  /** In a sentence; null: nothing is wrong. */
  readonly reason?: string | null
  readonly failures?: number
  readonly retryAt?: Date | null
  readonly failedAt?: Date | null
}

export async function setAcmState(
  tx: Queryable,
  domain: DomainId,
  { status, reason = null, failures = 0, retryAt = null, failedAt = null }: AcmState,
): Promise<void> {
  await tx.query(
    `update domains
        set acm_status = $2, acm_status_reason = $3, acm_failures = $4, acm_retry_at = $5,
            acm_failed_at = $6, updated_at = now()
      where id = $1`,
    [domain, status, reason, failures, retryAt, failedAt],
  )
}

/** Their certificates are wanted from now on, or not: null. An order that failed before is waited for all the same. */
export async function setAcmStatus(
  tx: Queryable,
  domains: readonly DomainId[],
  status: AcmStatus | null,
): Promise<void> {
  await tx.query(
    `update domains
        set acm_status = $2, acm_status_reason = null, updated_at = now()
      where id = any($1)`,
    [domains, status],
  )
}

/** Why nothing is ordered for it yet; null: it does not wait any more. */
export async function noteAcmWait(
  tx: Queryable,
  domain: DomainId,
  reason: string | null,
): Promise<void> {
  await tx.query(
    `update domains set acm_status_reason = $2
      where id = $1 and acm_status in ('pending', 'cert issued')
        and acm_status_reason is distinct from $2`,
    [domain, reason],
  )
}

/** Switches it for an app; its domains begin anew, or have no status. Orders that failed are waited for all the same. */
export async function setAcm(tx: Queryable, app: AppId, on: boolean): Promise<void> {
  await tx.query('update apps set acm = $2, updated_at = now() where id = $1', [app, on])
  await tx.query(
    `update domains
        set acm_status = case when $2 then 'pending' end, acm_status_reason = null
      where app = $1`,
    [app, on],
  )
  if (on) return
  await tx.query(
    'delete from acme_orders where domain in (select id from domains where app = $1)',
    [app],
  )
  await tx.query('delete from sni_endpoints where app = $1 and acm', [app])
}

/** Those that failed are tried again at once, but for what failed within `since`, in milliseconds. */
export async function bringAcmForward(
  tx: Queryable,
  app: AppId,
  since: number,
): Promise<void> {
  await tx.query(
    `update domains
        set acm_status = 'pending', acm_status_reason = null,
            acm_retry_at = least(acm_retry_at,
                                 greatest(now(), acm_failed_at + make_interval(secs => $2)))
      where app = $1 and acm_status in ('failing', 'failed')`,
    [app, since / SECOND],
  )
}

/** Has the domains of the app looked at; of all of a region's apps, where none is given. */
export async function wakeCertificates(
  db: Queryable,
  of: { readonly id: AppId } | { readonly region: string },
): Promise<void> {
  const [app, region] = 'id' in of ? [of.id, null] : [null, of.region]
  const { rows } = await db.query(
    `select d.id as subject, a.region from domains d join apps a on a.id = d.app
      where a.acm and ($1::uuid is null or a.id = $1) and ($2::text is null or a.region = $2)`,
    [app, region],
  )
  const subjects = rows as { subject: string; region: string }[]
  await wakeAll(
    db,
    subjects.map((it) => ({ kind: 'certificate', ...it })),
  )
}

/** The region's router gives these answers from now on; whose they are is looked at next. */
export async function recordAnswers(
  db: Queryable,
  region: string,
  answers: readonly string[],
): Promise<void> {
  if (answers.length === 0) return
  const { rows } = await db.query(
    `update acme_orders o set answered = true
       from domains d join apps a on a.id = d.app
      where d.id = o.domain and a.region = $1 and not o.answered
        and o.key_authorization = any($2)
     returning o.domain as subject`,
    [region, answers],
  )
  const subjects = (rows as { subject: string }[]).map(({ subject }) => subject)
  await wakeAll(
    db,
    subjects.map((subject) => ({ kind: 'certificate', subject, region })),
  )
}
