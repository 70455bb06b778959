import type { Dyno } from '../model/dyno.ts'
import type { Switches } from '../model/app-features.ts'
import type { Environment } from '../model/dyno-environment.ts'
import { dynoMetadata, wantsMetadata } from '../model/dyno-metadata.ts'
import { metadataFacts } from '../store/dyno-metadata.ts'
import type { Queryable } from '../store/queryable.ts'

/** Nothing, where the app does not want it. */
export async function metadataFor(
  db: Queryable,
  dyno: Pick<Dyno, 'id' | 'release'>,
  switches: Switches,
): Promise<Environment> {
  if (!wantsMetadata(switches)) return {}
  return dynoMetadata(dyno.id, await metadataFacts(db, dyno.release))
}
