import type { Queryable } from './queryable.ts'
import { allRegions, type Region } from './regions.ts'

/** By id or by name. */
export async function findRegion(
  db: Queryable,
  identity: string,
): Promise<Region | undefined> {
  const regions = await allRegions(db)
  return regions.find((it) => it.id === identity || it.name === identity)
}
