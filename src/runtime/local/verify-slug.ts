import { lstat } from 'node:fs/promises'
import { join } from 'node:path'

import { treeChecksum } from '../../lib/tree-checksum.ts'
import type { DynoId } from '../../model/ids.ts'
import { type DynoSpec, RuntimeError, SlugChecksumError } from '../runtime.ts'
import { slugMissing } from './slug-missing.ts'
import { turns } from './turns.ts'

/** Each reads a whole slug. */
const AT_A_TIME = 1

/** Throws a RuntimeError `slug_unverified` until it is known, and then what is wrong with it. */
export type VerifySlug = (dyno: Pick<DynoSpec, 'id' | 'slug' | 'slugChecksum'>) => void

interface Verification {
  /** They have not been told how it ended. */
  readonly awaitedBy: Set<DynoId>
  /** It is over, and this came of it. */
  failure?: unknown
}

/**
 * Compares a slug with its checksum before its first dyno starts. Nobody waits for it, for it
 * may take longer than a look: `verified` is told, at its end, who asked, and they ask again.
 * Those that were well are remembered. One that was not may have been put right meanwhile: each
 * dyno that asked is told of it once. `slugs` is their directory.
 */
export function slugVerifier(
  slugs: string,
  verified: (askers: readonly DynoId[]) => void,
): VerifySlug {
  const known = new Map<string, 'well' | Verification>()
  const inTurn = turns(AT_A_TIME)

  return ({ id, slug, slugChecksum: expected }) => {
    if (slug === undefined || expected === undefined) return
    const key = `${slug} ${expected}`
    const before = known.get(key)
    if (before === 'well') return
    const isOver = before?.failure !== undefined
    if (isOver && before.awaitedBy.delete(id)) throw before.failure
    const awaitedBy = (before?.awaitedBy ?? new Set()).add(id)
    if (!before || isOver) {
      const it: Verification = { awaitedBy }
      known.set(key, it)
      void inTurn(() => verify(join(slugs, slug, 'app'), expected))
        .then(
          () => known.set(key, 'well'),
          (error: unknown) => (it.failure = error),
        )
        .then(() => verified([...awaitedBy]))
    }
    throw new RuntimeError('slug_unverified', `The slug ${slug} is being verified.`)
  }
}

async function verify(directory: string, expected: string): Promise<void> {
  await lstat(directory).catch(slugMissing(directory))
  const actual = await treeChecksum(directory)
  if (actual !== expected) throw new SlugChecksumError(expected, actual)
}
