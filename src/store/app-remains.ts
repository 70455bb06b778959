import type { AppId, SlugId } from '../model/ids.ts'
import { FORGOTTEN_AT_ONCE } from './forgotten-at-once.ts'
import type { Queryable } from './queryable.ts'

/** What a destroyed app has left on the machine. */
export interface Remains {
  /** Dynos or builds of it still hold something. */
  readonly busy: boolean
  readonly slugs: readonly SlugId[]
}

/** Undefined when there is no such app, or it is not destroyed. */
export async function findRemains(
  db: Queryable,
  app: AppId,
): Promise<Remains | undefined> {
  const { rows } = await db.query(
    `select exists (select from dynos where app = apps.id and state <> 'down')
         or exists (select from builds where app = apps.id and status = 'pending') as busy,
            array(select id::text from slugs where app = apps.id) as slugs
       from apps where id = $1 and deleted_at is not null`,
    [app],
  )
  return (rows as Remains[])[0]
}

/** Those whose rows are still there, because something of them is. */
export async function destroyedApps(db: Queryable): Promise<AppId[]> {
  const { rows } = await db.query('select id from apps where deleted_at is not null')
  return (rows as { id: AppId }[]).map(({ id }) => id)
}

/**
 * Deletes a destroyed app's rows, those first of which there may be many. Says whether that is
 * all of them.
 */
export async function forgetApp(db: Queryable, app: AppId): Promise<boolean> {
  const { rows } = await db.query(
    `with destroyed as (select id from apps where id = $1 and deleted_at is not null),
     its_dynos as (
       delete from dynos where id = any(array(
         select id from dynos where app = (select id from destroyed) limit $2))
       returning id),
     its_events as (
       delete from events where id = any(array(
         select id from events where app = (select id from destroyed) limit $2))
       returning id),
     its_webhook_events as (
       delete from webhook_events where id = any(array(
         select id from webhook_events where app = (select id from destroyed) limit $2))
       returning id)
     select greatest((select count(*) from its_dynos), (select count(*) from its_events),
                     (select count(*) from its_webhook_events)) >= $2 as more`,
    [app, FORGOTTEN_AT_ONCE],
  )
  const [{ more }] = rows as [{ more: boolean }]
  if (more) return false
  await db.query('delete from apps where id = $1 and deleted_at is not null', [app])
  return true
}
