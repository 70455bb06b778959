import type { Queryable } from './queryable.ts'

/**
 * By which a database is known again, wherever a copy of it lies; undefined where there is none, as
 * in one that is empty, or of a Mayfly before databases had it.
 */
export async function databaseIdentity(db: Queryable): Promise<string | undefined> {
  const there = await db.query(
    `select where to_regclass('database_identity') is not null`,
  )
  if (there.rows.length === 0) return undefined
  const { rows } = await db.query('select id from database_identity')
  return (rows as { id: string }[])[0]?.id
}
