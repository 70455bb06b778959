import { databaseIdentity } from '../store/database-identity.ts'
import type { Queryable } from '../store/queryable.ts'
import type { DataDirectory, Installation } from './data-directory.ts'
import { Refusal } from './refusal.ts'

/**
 * A Refusal where the database is another than the installation has been on: there nobody knows its
 * apps, and each of its dynos would be swept away. Any is right as long as it has been on none.
 */
export async function mustBeItsDatabase(
  db: Queryable,
  data: DataDirectory,
  { databaseId }: Installation,
): Promise<void> {
  if (databaseId === undefined) return
  const id = await databaseIdentity(db)
  if (id === databaseId) return
  const found =
    id === undefined ? 'has no id, as an empty one has none' : `has the id ${id}`
  throw new Refusal(
    `The database that DATABASE_URL names is not this installation's: it ${found}, and should have ${databaseId}. ` +
      `Where it is meant all the same, take databaseId out of ${data.installation}.`,
  )
}
