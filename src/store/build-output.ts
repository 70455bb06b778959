/**
 * What builds print. A piece is kept under its offset in the whole, as the runtime counts
 * it, so that writing one twice changes nothing.
 */

import type { BuildId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface Piece {
  readonly position: number
  readonly text: string
  /** Where the next piece begins. */
  readonly next: number
}

export async function addPiece(
  db: Queryable,
  build: BuildId,
  piece: Piece,
): Promise<void> {
  await db.query(
    `insert into build_output (build, position, text, next) values ($1, $2, $3, $4)
     on conflict (build, position) do nothing`,
    // PostgreSQL's text has no NUL; a terminal shows none either.
    [build, piece.position, piece.text.replaceAll('\0', ''), piece.next],
  )
}

/** Where the next piece begins: 0 as long as there is none. */
export async function endOfOutput(db: Queryable, build: BuildId): Promise<number> {
  const { rows } = await db.query(
    'select coalesce(max(next), 0)::float8 as "end" from build_output where build = $1',
    [build],
  )
  return (rows as { end: number }[])[0]?.end ?? 0
}

/** Adds the platform's own words behind what was printed. */
export async function appendOutput(
  db: Queryable,
  build: BuildId,
  text: string,
): Promise<void> {
  const position = await endOfOutput(db, build)
  await addPiece(db, build, { position, text, next: position + Buffer.byteLength(text) })
}

/** The pieces from `position` on, in order. */
export async function outputFrom(
  db: Queryable,
  build: BuildId,
  position: number,
): Promise<Piece[]> {
  const { rows } = await db.query(
    `select position::float8 as position, text, next::float8 as next from build_output
      where build = $1 and position >= $2 order by position limit 64`,
    [build, position],
  )
  return rows as Piece[]
}
