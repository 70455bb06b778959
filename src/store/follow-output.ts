import { pause, SECOND } from '../lib/clock.ts'
import { findBuild } from './builds.ts'
import { outputFrom, type Piece, type Printer } from './output.ts'
import type { Queryable } from './queryable.ts'
import { statusOfRelease } from './releases.ts'

const SOON = 0.1 * SECOND

/**
 * What a build or a release phase prints, as it comes, to its end, for one reader. While the
 * database can't be asked it waits: printing goes on meanwhile.
 */
export async function* followOutput(
  db: Queryable,
  printer: Printer,
): AsyncGenerator<string> {
  let position = 0
  for (;;) {
    const news = await newsOf(db, printer, position).catch(() => undefined)
    if (!news) {
      await pause(SECOND)
      continue
    }
    for (const piece of news.pieces) {
      yield piece.text
      position = piece.next
    }
    if (news.pieces.length > 0) continue
    if (news.final) return
    await pause(SOON)
  }
}

async function newsOf(
  db: Queryable,
  printer: Printer,
  position: number,
): Promise<{ readonly pieces: readonly Piece[]; readonly final: boolean }> {
  // Asked first: whatever is printed is there before it is over.
  const status =
    'build' in printer
      ? (await findBuild(db, printer.build))?.status
      : await statusOfRelease(db, printer.release)
  const pieces = await outputFrom(db, printer, position)
  return { pieces, final: status !== 'pending' }
}
