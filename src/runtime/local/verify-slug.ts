import { lstatSync, readFileSync } from 'node:fs'
import { lstat, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { treeChecksum } from '../../lib/tree-checksum.ts'
import type { DynoId } from '../../model/ids.ts'
import { type DynoSpec, RuntimeError, SlugChecksumError } from '../runtime.ts'
import { fairTurns } from './fair-turns.ts'
import { slugMissing } from './slug-missing.ts'

/** Each reads a whole slug. */
const AT_A_TIME = 2

/** Throws a RuntimeError `slug_unverified` until it is known, and then what is wrong with it. */
export type VerifySlug = (
  dyno: Pick<DynoSpec, 'id' | 'slug' | 'slugChecksum' | 'tenant'>,
) => void

interface Verification {
  /** They have not been told how it ended. */
  readonly awaitedBy: Set<DynoId>
  /** It is over, and this came of it. */
  failure?: unknown
}

/**
 * Compares a slug with its checksum before its first dyno starts. Nobody waits for it, for it
 * may take longer than a look: `verified` is told, at its end, who asked, and they ask again.
 * Those that were well are remembered, on disk too: what a slug is verified for is that it was
 * half written, or was damaged, as the machine stopped, and that has not happened again before
 * its next boot. One that was not may have been put right meanwhile: each
 * dyno that asked is told of it once. `slugs` is their directory.
 */
export function slugVerifier(
  { slugs, boot }: { readonly slugs: string; readonly boot: string },
  verified: (askers: readonly DynoId[]) => void,
): VerifySlug {
  const known = new Map<string, 'well' | Verification>()
  const inTurn = fairTurns(AT_A_TIME)

  return ({ id, slug, slugChecksum: expected, tenant }) => {
    if (slug === undefined || expected === undefined) return
    const key = `${slug} ${expected}`
    const before = known.get(key)
    if (before === 'well') return
    const directory = join(slugs, slug)
    if (!before && wasWell(directory, { expected, boot })) {
      known.set(key, 'well')
      return
    }
    const isOver = before?.failure !== undefined
    if (isOver && before.awaitedBy.delete(id)) throw before.failure
    const awaitedBy = (before?.awaitedBy ?? new Set()).add(id)
    if (!before || isOver) {
      const it: Verification = { awaitedBy }
      known.set(key, it)
      const work = async () => {
        await verify(join(directory, 'app'), expected)
        await noteWell(directory, { expected, boot })
      }
      void inTurn(tenant, work)
        .then(
          () => known.set(key, 'well'),
          (error: unknown) => (it.failure = error),
        )
        .then(() => verified([...awaitedBy]))
    }
    throw new RuntimeError('slug_unverified', `The slug ${slug} is being verified.`)
  }
}

interface Verified {
  readonly expected: string
  readonly boot: string
}

function wasWell(slug: string, it: Verified): boolean {
  try {
    return readFileSync(markOf(slug), 'utf8') === markFor(slug, it)
  } catch {
    return false
  }
}

/** Where it cannot be written, the slug is read once more. */
async function noteWell(slug: string, it: Verified): Promise<void> {
  const draft = `${markOf(slug)}.new`
  try {
    await writeFile(draft, markFor(slug, it))
    await rename(draft, markOf(slug))
  } catch {}
}

function markOf(slug: string): string {
  return join(slug, 'verified')
}

/** A tree that was put in its place, as from a backup, is another. */
function markFor(slug: string, { expected, boot }: Verified): string {
  const { ino, ctimeMs } = lstatSync(join(slug, 'app'))
  return JSON.stringify({ boot, checksum: expected, ino, ctimeMs })
}

async function verify(directory: string, expected: string): Promise<void> {
  await lstat(directory).catch(slugMissing(directory))
  const actual = await treeChecksum(directory)
  if (actual !== expected) throw new SlugChecksumError(expected, actual)
}
