import { MiB } from '../lib/bytes.ts'
import { addPiece, appendOutput, endOfOutput, type Printer } from './output.ts'
import type { Queryable } from './queryable.ts'

/** Bytes that are kept of what one build or release phase prints. */
const MOST = 4 * MiB
const TRUNCATED =
  '\n !     This is all that is kept of what was printed: the rest is not shown.\n\n'

/** What was printed from a byte offset on, and where to go on. */
type Reader = (
  offset: number,
) => Promise<{ readonly text: string; readonly offset: number }>

/** Keeps what has been printed since last time, up to now. */
export async function keepOutput(
  db: Queryable,
  printer: Printer,
  { read, most = MOST }: { readonly read: Reader; readonly most?: number },
): Promise<void> {
  let position = await endOfOutput(db, printer)
  while (position < most) {
    const { text, offset } = await read(position)
    if (offset === position) return
    await addPiece(db, printer, { position, text, next: offset })
    position = offset
    if (position >= most) await appendOutput(db, printer, TRUNCATED)
  }
}
