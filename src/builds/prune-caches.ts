/** A build cache that no build has used for a month goes: the next one begins without. */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import type { DataDirectory } from '../installation/data-directory.ts'
import { type Clock, DAY } from '../lib/clock.ts'
import { removeTree } from '../lib/remove-tree.ts'
import { type AppId, isUuid } from '../model/ids.ts'
import { nextBuildOf } from '../store/builds.ts'
import type { Queryable } from '../store/queryable.ts'

const KEPT = 30 * DAY

export interface CachePruning {
  readonly pool: Queryable
  readonly data: DataDirectory
  readonly clock: Clock
}

/** Each build touches its cache's directory when it is laid out. */
export async function pruneCaches({ pool, data, clock }: CachePruning): Promise<void> {
  for (const name of (await readdir(data.caches)).filter((it) => isUuid(it))) {
    const at = join(data.caches, name)
    const facts = await stat(at).catch(() => undefined)
    if (!facts || clock.now().getTime() - facts.mtimeMs < KEPT) continue
    if (await nextBuildOf(pool, name as AppId)) continue
    await removeTree(at)
  }
}
