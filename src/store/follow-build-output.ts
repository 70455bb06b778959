import type { BuildId } from '../model/ids.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { outputFrom, type Piece } from './build-output.ts'
import { findBuild } from './builds.ts'
import type { Queryable } from './queryable.ts'

const SOON = 0.1 * SECOND

/**
 * What a build prints, as it comes, to its end, or until the signal aborts. While the
 * database can't be asked it waits: the build goes on meanwhile.
 */
export async function* followBuildOutput(
  db: Queryable,
  build: BuildId,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  let position = 0
  for (;;) {
    if (signal?.aborted) return
    const news = await newsOf(db, build, position).catch(() => undefined)
    if (!news) {
      await pause(SECOND, signal)
      continue
    }
    for (const piece of news.pieces) {
      yield piece.text
      position = piece.next
    }
    if (news.pieces.length > 0) continue
    if (news.final) return
    await pause(SOON, signal)
  }
}

async function newsOf(
  db: Queryable,
  build: BuildId,
  position: number,
): Promise<{ readonly pieces: readonly Piece[]; readonly final: boolean }> {
  // Asked first: whatever is printed is there before the build is final.
  const now = await findBuild(db, build)
  const pieces = await outputFrom(db, build, position)
  return { pieces, final: now?.status !== 'pending' }
}
