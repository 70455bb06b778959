/** Destroys the slugs that no release needs any more, and removes their files. */

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Pool } from 'pg'

import type { DataDirectory } from '../installation/data-directory.ts'
import { isUuid } from '../model/ids.ts'
import { SLUGS_KEPT, slugsToDestroy } from '../model/slug-retention.ts'
import { lockApp } from '../store/apps.ts'
import { inTransaction } from '../store/queryable.ts'
import {
  appsWithMoreSlugs,
  destroyedSlugs,
  markSlugsDestroyed,
  slugFacts,
} from '../store/slug-retention.ts'

export interface SlugPruning {
  readonly pool: Pool
  readonly data: DataDirectory
  readonly region: string
}

/** First the rows, then the files: a slug that can still be released is never half gone. */
export async function pruneSlugs({ pool, data, region }: SlugPruning): Promise<void> {
  for (const app of await appsWithMoreSlugs(pool, region, SLUGS_KEPT)) {
    await inTransaction(pool, async (tx) => {
      if (!(await lockApp(tx, app))) return
      await markSlugsDestroyed(tx, slugsToDestroy(await slugFacts(tx, app)))
    })
  }
  const there = (await readdir(data.slugs)).filter((name) => isUuid(name))
  for (const slug of await destroyedSlugs(pool, there)) {
    await rm(join(data.slugs, slug), { recursive: true, force: true })
  }
}
