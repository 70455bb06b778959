import type { Account } from '../model/app.ts'
import type { AccountId, AppId, Id } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export type AppTransferId = Id<'app transfer'>

export interface AppTransfer {
  readonly id: AppTransferId
  readonly app: { readonly id: AppId; readonly name: string }
  readonly owner: Account
  readonly recipient: Account
  readonly state: 'pending' | 'accepted' | 'declined'
  readonly createdAt: Date
  readonly updatedAt: Date
}

/**
 * Those that the account offers or is offered. A settled one has its app's name of then: it may be nothing of
 * the account's any more.
 */
export async function transfersOf(
  db: Queryable,
  account: AccountId,
): Promise<AppTransfer[]> {
  const { rows } = await db.query(
    `select t.id, t.state, t.created_at as "createdAt", t.updated_at as "updatedAt",
            json_build_object('id', a.id, 'name', coalesce(t.app_name, a.name)) as app,
            json_build_object('id', o.id, 'email', o.email) as owner,
            json_build_object('id', r.id, 'email', r.email) as recipient
       from app_transfers t
       join apps a on a.id = t.app and a.deleted_at is null
       join accounts o on o.id = t.owner
       join accounts r on r.id = t.recipient
      where $1 in (t.owner, t.recipient) order by t.created_at, t.id`,
    [account],
  )
  return rows as AppTransfer[]
}

/** Settled ones of an app that are kept: each list has them all. */
export const SETTLED_KEPT = 10

/** Says false where the app is being offered to somebody already. The oldest that are settled are forgotten. */
export async function addTransfer(
  tx: Queryable,
  it: {
    readonly id: AppTransferId
    readonly app: AppId
    readonly owner: AccountId
    readonly recipient: AccountId
  },
): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into app_transfers (id, app, owner, recipient, state)
     values ($1, $2, $3, $4, 'pending')
     on conflict (app) where state = 'pending' do nothing returning true`,
    [it.id, it.app, it.owner, it.recipient],
  )
  await tx.query(
    `delete from app_transfers where id in (
       select id from app_transfers where app = $1 and state <> 'pending'
        order by created_at desc, id offset $2)`,
    [it.app, SETTLED_KEPT],
  )
  return rows.length === 1
}

/** Says false where it is not pending any more. */
export async function settleTransfer(
  tx: Queryable,
  id: AppTransferId,
  state: 'accepted' | 'declined',
): Promise<boolean> {
  const { rows } = await tx.query(
    `update app_transfers t set state = $2, app_name = a.name, updated_at = now()
       from apps a
      where t.id = $1 and t.state = 'pending' and a.id = t.app returning true`,
    [id, state],
  )
  return rows.length === 1
}

/** Says false where it is not pending any more. */
export async function removeTransfer(tx: Queryable, id: AppTransferId): Promise<boolean> {
  const { rows } = await tx.query(
    `delete from app_transfers where id = $1 and state = 'pending' returning true`,
    [id],
  )
  return rows.length === 1
}

/** What its old owner had offered. */
export async function withdrawTransfers(tx: Queryable, app: AppId): Promise<void> {
  await tx.query(`delete from app_transfers where app = $1 and state = 'pending'`, [app])
}
