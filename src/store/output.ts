/**
 * What builds and release phases print. A piece is kept under its offset in the whole, as
 * the runtime counts it, so that writing one twice changes nothing.
 */

import type { BuildId, ReleaseId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** Whose output it is. */
export type Printer = { readonly build: BuildId } | { readonly release: ReleaseId }

export interface Piece {
  readonly position: number
  readonly text: string
  /** Where the next piece begins. */
  readonly next: number
}

export async function addPiece(
  db: Queryable,
  printer: Printer,
  piece: Piece,
): Promise<void> {
  await db.query(
    `${into(printer)} values ($1, $2, $3, $4)
     on conflict (printer, position) do nothing`,
    // PostgreSQL's text has no NUL; a terminal shows none either.
    [idOf(printer), piece.position, piece.text.replaceAll('\0', ''), piece.next],
  )
}

/** Where the next piece begins: 0 as long as there is none. */
export async function endOfOutput(db: Queryable, printer: Printer): Promise<number> {
  const { rows } = await db.query(
    `select coalesce(max(next), 0)::float8 as "end" ${from(printer)} where printer = $1`,
    [idOf(printer)],
  )
  return (rows as { end: number }[])[0]?.end ?? 0
}

/** Adds the platform's own words behind what was printed. */
export async function appendOutput(
  db: Queryable,
  printer: Printer,
  text: string,
): Promise<void> {
  const position = await endOfOutput(db, printer)
  const next = position + Buffer.byteLength(text)
  await addPiece(db, printer, { position, text, next })
}

/** The pieces from `position` on, in order. */
export async function outputFrom(
  db: Queryable,
  printer: Printer,
  position: number,
): Promise<Piece[]> {
  const { rows } = await db.query(
    `select position::float8 as position, text, next::float8 as next ${from(printer)}
      where printer = $1 and position >= $2 order by position limit 64`,
    [idOf(printer), position],
  )
  return rows as Piece[]
}

/** How far a printer has come. */
export interface Progress {
  /** Where the next piece begins. */
  readonly end: number
  /** Nothing more comes. */
  readonly final: boolean
}

/** Of printers of one kind, as of one moment; of those that are there. */
export async function progressOf(
  db: Queryable,
  kind: 'build' | 'release',
  ids: readonly string[],
): Promise<Map<string, Progress>> {
  const { rows } = await db.query(progressOfAll[kind], [ids])
  return new Map((rows as (Progress & { id: string })[]).map((it) => [it.id, it]))
}

const progressOfAll = {
  build: `select b.id, b.status <> 'pending' as final, coalesce(
            (select o.next from build_output o where o.printer = b.id
              order by o.position desc limit 1), 0)::float8 as "end"
       from builds b where b.id = any($1::uuid[])`,
  release: `select r.id, r.status <> 'pending' as final, coalesce(
            (select o.next from release_output o where o.printer = r.id
              order by o.position desc limit 1), 0)::float8 as "end"
       from releases r where r.id = any($1::uuid[])`,
}

export function idOf(printer: Printer): string {
  return 'build' in printer ? printer.build : printer.release
}

function into(printer: Printer): string {
  return 'build' in printer
    ? 'insert into build_output (printer, position, text, next)'
    : 'insert into release_output (printer, position, text, next)'
}

function from(printer: Printer): string {
  return 'build' in printer ? 'from build_output' : 'from release_output'
}
