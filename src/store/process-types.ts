import type { SlugId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** The slug's Procfile: process type → command. */
export async function processTypesOf(
  db: Queryable,
  slug: SlugId,
): Promise<Readonly<Record<string, string>>> {
  const { rows } = await db.query('select process_types from slugs where id = $1', [slug])
  const row = (rows as { process_types: Record<string, string> }[])[0]
  if (!row) throw new Error(`there is no slug ${slug}`)
  return row.process_types
}
