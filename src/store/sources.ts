import type { Account } from '../model/app.ts'
import type { AccountId, BuildId, SourceId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** A source tree that is with us: a tarball in the data directory, once uploaded. */
export interface Source {
  readonly id: SourceId
  readonly uploadedAt: Date | null
}

export interface NewSource {
  readonly id: SourceId
  readonly account: AccountId
  /** Of the capabilities in the URLs that the Platform API hands out. */
  readonly putTokenSha256: Buffer
  readonly getTokenSha256: Buffer
}

/** `patience`: for so many milliseconds something may be uploaded to it. */
export async function addSource(
  db: Queryable,
  source: NewSource,
  patience: number,
): Promise<void> {
  await db.query(
    `insert into sources (id, account, put_token_sha256, get_token_sha256, open_until)
     values ($1, $2, $3, $4, now() + make_interval(secs => $5 / 1000.0))`,
    [source.id, source.account, source.putTokenSha256, source.getTokenSha256, patience],
  )
}

/**
 * Lets the account make one source at a time; returns how many of its sources have an upload,
 * or may still get one. A build that ends uses its own up.
 */
export async function lockToAddSource(
  tx: Queryable,
  account: AccountId,
): Promise<number> {
  await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`sources of ${account}`])
  const { rows } = await tx.query(
    `select count(*)::integer as count from sources
      where account = $1 and (uploaded_at is not null or open_until > now())`,
    [account],
  )
  return (rows as { count: number }[])[0]?.count ?? 0
}

/** Of the URL to write to. Undefined: there is none, or no upload may be begun any more. */
export async function sourceToPut(
  db: Queryable,
  putTokenSha256: Buffer,
  patience: number,
): Promise<{ readonly id: SourceId; readonly account: Account } | undefined> {
  const { rows } = await db.query(
    `select s.id, json_build_object('id', a.id, 'email', a.email) as account
       from sources s join accounts a on a.id = s.account
      where s.put_token_sha256 = $1 and s.open_until > now()
        and s.created_at > now() - make_interval(secs => $2 / 1000.0)`,
    [putTokenSha256, patience],
  )
  return (rows as { id: SourceId; account: Account }[])[0]
}

/** Keeps it open for so many milliseconds more, for an upload that begins. Says false where it is closed. */
export async function keepOpen(
  db: Queryable,
  id: SourceId,
  patience: number,
): Promise<boolean> {
  const { rows } = await db.query(
    `update sources set open_until = now() + make_interval(secs => $2 / 1000.0)
      where id = $1 and open_until > now() returning true`,
    [id, patience],
  )
  return rows.length === 1
}

export async function sourceToGet(
  db: Queryable,
  getTokenSha256: Buffer,
): Promise<Source | undefined> {
  const { rows } = await db.query(
    `select id, uploaded_at as "uploadedAt" from sources where get_token_sha256 = $1`,
    [getTokenSha256],
  )
  return (rows as Source[])[0]
}

export async function markUploaded(db: Queryable, id: SourceId): Promise<void> {
  await db.query('update sources set uploaded_at = now() where id = $1', [id])
}

/** Its file is going, and no other may take its place. */
export async function forgetUpload(db: Queryable, id: SourceId): Promise<void> {
  await db.query(
    'update sources set uploaded_at = null, open_until = null where id = $1',
    [id],
  )
}

/** Which of these a build under way is of. */
export async function wantedSources(
  db: Queryable,
  ids: readonly SourceId[],
): Promise<Set<SourceId>> {
  const { rows } = await db.query(
    `select distinct source from builds where source = any($1::uuid[]) and status = 'pending'`,
    [ids],
  )
  return new Set((rows as { source: SourceId }[]).map((row) => row.source))
}

/** Whether a build under way, other than `but`, is of this source. */
export async function sourceIsWanted(
  db: Queryable,
  id: SourceId,
  but: BuildId,
): Promise<boolean> {
  const { rows } = await db.query(
    `select true from builds
      where source = $1 and status = 'pending' and id <> $2 limit 1`,
    [id, but],
  )
  return rows.length > 0
}
