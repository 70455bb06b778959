import type { Dyno } from '../model/dyno.ts'
import type { Switches } from '../model/app-features.ts'
import type { Environment } from '../model/dyno-environment.ts'
import { dynoFile, dynoMetadata, wantsMetadata } from '../model/dyno-metadata.ts'
import { metadataFacts } from '../store/dyno-metadata.ts'
import type { Queryable } from '../store/queryable.ts'

export interface DynoMetadata {
  readonly environment: Environment
  /** Of /etc/heroku/dyno. */
  readonly file?: string
}

/** Nothing, where the app does not want it. */
export async function metadataFor(
  db: Queryable,
  dyno: Pick<Dyno, 'id' | 'release' | 'type' | 'ordinal'>,
  switches: Switches,
): Promise<DynoMetadata> {
  if (!wantsMetadata(switches)) return { environment: {} }
  const facts = await metadataFacts(db, dyno.release)
  return { environment: dynoMetadata(dyno.id, facts), file: dynoFile(dyno, facts) }
}
