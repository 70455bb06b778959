import { join } from 'node:path'

import { treeChecksum } from '../../lib/tree-checksum.ts'
import { type DynoSpec, RuntimeError, SlugChecksumError } from '../runtime.ts'
import { turns } from './turns.ts'

/** Each reads a whole slug. */
const AT_A_TIME = 1

export type VerifySlug = (dyno: Pick<DynoSpec, 'slug' | 'slugChecksum'>) => Promise<void>

/**
 * Compares a slug with its checksum before its first dyno starts, and remembers those that
 * were well: one that was not may have been put right meanwhile. `slugs` is their directory.
 */
export function slugVerifier(slugs: string): VerifySlug {
  const verified = new Map<string, Promise<void>>()
  const inTurn = turns(AT_A_TIME)

  return async ({ slug, slugChecksum: expected }) => {
    if (slug === undefined || expected === undefined) return
    const key = `${slug} ${expected}`
    const before = verified.get(key)
    if (before) return before
    const now = inTurn(() => verify(join(slugs, slug, 'app'), expected))
    verified.set(key, now)
    try {
      await now
    } catch (error) {
      verified.delete(key)
      throw error
    }
  }
}

async function verify(directory: string, expected: string): Promise<void> {
  const actual = await treeChecksum(directory).catch((error: unknown) => {
    throw new RuntimeError('slug_missing', `The slug ${directory} is not there.`, error)
  })
  if (actual !== expected) throw new SlugChecksumError(expected, actual)
}
