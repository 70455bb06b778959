import type { Queryable } from './queryable.ts'

/** Throws where nothing can be asked of the database at all. */
export async function databaseAnswers(db: Queryable): Promise<void> {
  await db.query('select 1')
}
