import type { AppId, SlugId } from '../model/ids.ts'
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

/** Deletes a destroyed app's rows, all of them. */
export async function forgetApp(db: Queryable, app: AppId): Promise<void> {
  await db.query('delete from apps where id = $1 and deleted_at is not null', [app])
}
