import type { Account } from '../model/app.ts'
import type { AccountId, Id } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export type BrowserLoginId = Id<'browser login'>

/** A CLI that waits for somebody to log in on a page. */
export interface BrowserLogin {
  readonly id: BrowserLoginId
  readonly description: string
  /** From where the CLI asked. */
  readonly address: string | null
  readonly state: 'asked' | 'password given' | 'granted' | 'refused'
  /** Whose password was given. */
  readonly account: Account | null
}

export interface NewBrowserLogin {
  readonly id: BrowserLoginId
  readonly cliSha256: Buffer
  readonly pageSha256: Buffer
  readonly description: string
  readonly address: string
  readonly expiresAt: Date
}

export async function addBrowserLogin(tx: Queryable, it: NewBrowserLogin): Promise<void> {
  await tx.query('delete from browser_logins where expires_at < now()')
  await tx.query(
    `insert into browser_logins (id, cli_sha256, page_sha256, description, address, expires_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [it.id, it.cliSha256, it.pageSha256, it.description, it.address, it.expiresAt],
  )
}

const columns = `b.id, b.description, host(b.address) as address, b.state,
  case when a.id is not null
       then json_build_object('id', a.id, 'email', a.email) end as account`

/** Undefined where it is over, as after its time. */
export async function browserLoginOfPage(
  db: Queryable,
  pageSha256: Buffer,
): Promise<BrowserLogin | undefined> {
  const { rows } = await db.query(
    `select ${columns} from browser_logins b left join accounts a on a.id = b.account
      where b.page_sha256 = $1 and b.expires_at > now()`,
    [pageSha256],
  )
  return (rows as BrowserLogin[])[0]
}

/** Undefined where it is over, as after its time. */
export async function browserLoginOfCli(
  db: Queryable,
  id: BrowserLoginId,
  cliSha256: Buffer,
): Promise<BrowserLogin | undefined> {
  const { rows } = await db.query(
    `select ${columns} from browser_logins b left join accounts a on a.id = b.account
      where b.id = $1 and b.cli_sha256 = $2 and b.expires_at > now()`,
    [id, cliSha256],
  )
  return (rows as BrowserLogin[])[0]
}

/** What becomes of one that is not decided yet; says false where it is, or is over. */
export async function moveBrowserLogin(
  db: Queryable,
  id: BrowserLoginId,
  to:
    | { readonly state: 'password given' | 'granted'; readonly account: AccountId }
    | { readonly state: 'refused' },
): Promise<boolean> {
  const { rows } = await db.query(
    `update browser_logins set state = $2, account = $3
      where id = $1 and state in ('asked', 'password given') and expires_at > now()
      returning true`,
    [id, to.state, 'account' in to ? to.account : null],
  )
  return rows.length === 1
}

/** One that was granted, only once; returns to whom. */
export async function takeGrantedLogin(
  tx: Queryable,
  id: BrowserLoginId,
): Promise<Account | undefined> {
  const { rows } = await tx.query(
    `delete from browser_logins b using accounts a
      where b.id = $1 and b.state = 'granted' and b.expires_at > now() and a.id = b.account
     returning a.id, a.email`,
    [id],
  )
  return (rows as Account[])[0]
}

/** Those which somebody was about to log in by. */
export async function forgetBrowserLogins(
  tx: Queryable,
  account: AccountId,
): Promise<void> {
  await tx.query('delete from browser_logins where account = $1', [account])
}
