/** A build deletes its source when it ends. This deletes what no build ever came for. */

import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import type { DataDirectory } from '../installation/data-directory.ts'
import type { Clock } from '../lib/clock.ts'
import { isUuid, type SourceId } from '../model/ids.ts'
import { UPLOAD_KEPT } from '../model/source.ts'
import type { Queryable } from '../store/queryable.ts'
import { forgetUpload, wantedSources } from '../store/sources.ts'
import { removeUpload } from './build-files.ts'

export interface UploadPruning {
  readonly pool: Queryable
  readonly data: DataDirectory
  readonly clock: Clock
}

/** Also removes what of an upload was cut short. */
export async function pruneUploads({ pool, data, clock }: UploadPruning): Promise<void> {
  const old: string[] = []
  for (const name of await readdir(data.sources)) {
    const facts = await lstat(join(data.sources, name)).catch(() => undefined)
    if (facts && clock.now().getTime() - facts.mtimeMs > UPLOAD_KEPT) old.push(name)
  }
  const wanted = await wantedSources(pool, old.flatMap(sourceOf))
  for (const name of old) {
    const [source] = sourceOf(name)
    if (!source || wanted.has(source)) continue
    await forgetUpload(pool, source)
    await removeUpload(join(data.sources, name))
  }
}

function sourceOf(name: string): SourceId[] {
  const id = name.split('.', 1)[0] ?? ''
  return isUuid(id) ? [id as SourceId] : []
}
